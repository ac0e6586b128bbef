"""Every kernel of the course's environment begins so, and no notebook has to ask for it."""

c = get_config()  # noqa: F821  IPython brings it
c.InteractiveShellApp.extensions.append("course_utils.runtime")
