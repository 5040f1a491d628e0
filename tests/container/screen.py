"""What a screen in memory shows: Xvfb keeps it in a file of xwd's format."""
import os
import pathlib
import struct
import zlib


class Screen:
    """24 bits a pixel, kept in 32."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        header = struct.unpack(">25I", data[:100])
        self.width, self.height, big_endian, bits, line, colours = (header[i] for i in (4, 5, 7, 11, 12, 19))
        assert bits == 32, f"{bits} bits a pixel"
        start = header[0] + 12 * colours
        self.lines = []
        for y in range(self.height):
            pixels = data[start + y * line:start + y * line + 4 * self.width]
            red, green, blue = (pixels[i::4] for i in ((1, 2, 3) if big_endian else (2, 1, 0)))
            self.lines.append(bytes(byte for pixel in zip(red, green, blue) for byte in pixel))

    def share(self, colour):
        """How much of the screen has a colour, "#rrggbb"; 1 is all."""
        wanted = tuple(bytes.fromhex(colour[1:]))
        found = sum(1 for line in self.lines for pixel in zip(line[::3], line[1::3], line[2::3]) if pixel == wanted)
        return found / (self.width * self.height)

    def keep(self, name):
        """For a person to look at, below SUTURE_SCREENSHOTS; without it nowhere."""
        if "SUTURE_SCREENSHOTS" not in os.environ:
            return
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        body = zlib.compress(b"".join(b"\0" + line for line in self.lines))
        chunks = [(b"IHDR", head), (b"IDAT", body), (b"IEND", b"")]
        pathlib.Path(os.environ["SUTURE_SCREENSHOTS"], f"{name}.png").write_bytes(
            b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(data)) + kind + data
                                            + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks))
