"""Tells of each signal once it comes, with how many there have been, and of each line of its input."""
import os, signal, sys

count = 0


def hear(number, frame):
    global count
    count += 1
    size = 'x'.join(map(str, os.get_terminal_size(0))) if number == signal.SIGWINCH else ''
    print(signal.Signals(number).name, count, size, flush=True)


for name in sys.argv[1:]:
    signal.signal(getattr(signal, name), hear)
print('ready', os.ttyname(0) if os.isatty(0) else 'no terminal', flush=True)
for line in iter(sys.stdin.readline, ''):
    print('heard', line.strip(), 'after', count, flush=True)
