"""The server's settings: what a kernel says reaches the page at once."""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

c = get_config()  # noqa: F821  Jupyter defines it


class PromptConnection(ZMQChannelsWebsocketConnection):
    """Sends every message at once; Nagle's algorithm holds small ones back for up to 40 ms."""

    async def connect(self):
        """Connect, and never wait for the page's receipt before the next message."""
        self.websocket_handler.set_nodelay(True)
        return await super().connect()


c.ServerApp.kernel_websocket_connection_class = PromptConnection
