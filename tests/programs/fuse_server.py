"""A file system of a hostile user: one file that can be mapped, and whose bytes never come (fuse(4), linux/fuse.h).

    fuse_server.py DIRECTORY UID     says "ready", serves until it is killed; to be run as root, for the mount"""
import ctypes
import os
import struct
import sys

INIT, LOOKUP, GETATTR, OPEN = 26, 1, 3, 14
NO_ANSWER = {2, 15, 36, 42}  # forget, interrupt and the like; and READ, which is the point
FILE, SIZE = 2, 8192


def attributes(inode, uid):
    mode = 0o100755 if inode == FILE else 0o40755
    return struct.pack("<6Q10I", inode, SIZE if inode == FILE else 0, 16, 0, 0, 0, 0, 0, 0, mode, 1, uid, uid, 0, 4096, 0)


def answer(operation, node, uid):
    if operation == INIT:
        return struct.pack("<IIIIHHIIHH8I", 7, 31, 65536, 0, 12, 9, 65536, 1, 32, 0, *[0] * 8)
    if operation == LOOKUP:
        return struct.pack("<QQQQII", FILE, 0, 3600, 3600, 0, 0) + attributes(FILE, uid)
    if operation == GETATTR:
        return struct.pack("<QII", 3600, 0, 0) + attributes(node, uid)
    if operation == OPEN:
        return struct.pack("<QII", 0, 0, 0)
    return None


def main(directory, uid):
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={uid},group_id={uid}".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"hostile", directory.encode(), b"fuse", 0, options) != 0:
        sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    print("ready", flush=True)
    while True:
        request = os.read(device, 1 << 20)
        _, operation, unique, node = struct.unpack_from("<IIQQ", request)
        if operation in NO_ANSWER:
            continue
        data = answer(operation, node, uid)
        header = struct.pack("<IiQ", 16 + len(data or b""), 0 if data is not None else -38, unique)
        os.write(device, header + (data or b""))


main(sys.argv[1], int(sys.argv[2]))
