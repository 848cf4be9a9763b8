"""Tells of each signal once it comes, with how many there have been, and of each line of its input."""
import os, signal, sys

count = 0


def say(*words):
    # Not print(): a signal may come in the middle of one, and its buffer cannot be entered twice.
    os.write(1, (' '.join(map(str, words)) + '\n').encode())


def hear(number, frame):
    global count
    count += 1
    size = 'x'.join(map(str, os.get_terminal_size(0))) if number == signal.SIGWINCH else ''
    say(signal.Signals(number).name, count, size)


for name in sys.argv[1:]:
    signal.signal(getattr(signal, name), hear)
say('ready', os.ttyname(0) if os.isatty(0) else 'no terminal')
for line in iter(sys.stdin.readline, ''):
    say('heard', line.strip(), 'after', count)
