"""An engine that misbehaves: listens where a helper dials back, and says to it what it is told to.

Usage: fake-engine.py SOCKET HELPER-COMMAND... ; each line of standard input is a Python expression of the
message (bytes, or an object that becomes JSON) or of a pair (message, number of descriptors). Each answer, or
"end" when the helper has hung up, is one line of standard output.
"""
import array
import json
import os
import socket
import subprocess
import sys

path, command = sys.argv[1], sys.argv[2:]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(path)
listener.listen(1)
helper = subprocess.Popen(command + [path], stdin=subprocess.DEVNULL)
listener.settimeout(10)
link, _ = listener.accept()
link.settimeout(10)

for line in sys.stdin:
    said = eval(line)
    message, count = said if isinstance(said, tuple) else (said, 0)
    if not isinstance(message, bytes):
        message = json.dumps(message).encode()
    null = os.open('/dev/null', os.O_RDWR)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [null] * count))] if count else []
    try:
        link.sendmsg([message], rights)
        answer = link.recv(1 << 17)
    except (BrokenPipeError, ConnectionResetError):
        answer = b''
    os.close(null)
    print(answer.decode() or 'end', flush=True)
