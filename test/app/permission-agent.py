"""An authentication agent of a test's own, for one process: what a desktop shows a password dialog with.

    permission-agent.py PID

It registers with polkit (org.freedesktop.PolicyKit1.AuthenticationAgent) and has each password looked at by polkit's own
helper, as every agent does. Each line of its input is a command, answered by one line of JSON: `asked` (the action of
the question that is open, or null), `answer PASSWORD`, `dismiss`.
"""

import json
import pwd
import subprocess
import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

AUTHORITY = "org.freedesktop.PolicyKit1"
AGENT = "org.freedesktop.PolicyKit1.AuthenticationAgent"
PATH = "/culvert/test/PermissionAgent"
LOOKER = "/usr/lib/polkit-1/polkit-agent-helper-1"


class Dismissed(dbus.DBusException):
    _dbus_error_name = "org.freedesktop.PolicyKit1.Error.Cancelled"


class Agent(dbus.service.Object):
    question = None

    @dbus.service.method(AGENT, in_signature="sssa{ss}sa(sa{sv})", async_callbacks=("done", "fail"))
    def BeginAuthentication(self, action, message, icon, details, cookie, identities, done, fail):
        self.question = {"action": str(action), "cookie": str(cookie), "who": identities, "done": done, "fail": fail}

    @dbus.service.method(AGENT, in_signature="s")
    def CancelAuthentication(self, cookie):
        self.question = None

    def take(self):
        question, self.question = self.question, None
        return question

    def answer(self, password):
        """Whether the password is right; polkit hears of that from its helper, not from here."""
        question = self.take()
        name = pwd.getpwuid(int(question["who"][0][1]["uid"])).pw_name
        looker = subprocess.Popen([LOOKER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        looker.stdin.write(question["cookie"] + "\n")
        looker.stdin.flush()
        result = None
        for line in looker.stdout:
            if line.startswith("PAM_PROMPT"):
                looker.stdin.write(password + "\n")
                looker.stdin.flush()
            elif line.strip() in ("SUCCESS", "FAILURE"):
                result = line.strip() == "SUCCESS"
                break
        looker.stdin.close()
        looker.wait()
        question["done"]()
        return result

    def dismiss(self):
        self.take()["fail"](Dismissed("the dialog was closed"))
        return True


def started(pid):
    """When it started, in ticks since the computer did (proc(5), field 22); names may have spaces and brackets."""
    with open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[19])


def main():
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    agent = Agent(bus, PATH)
    pid = int(sys.argv[1])
    whose = {"pid": dbus.UInt32(pid), "start-time": dbus.UInt64(started(pid))}
    authority = dbus.Interface(
        bus.get_object(AUTHORITY, "/org/freedesktop/PolicyKit1/Authority"), AUTHORITY + ".Authority"
    )
    subject = ("unix-process", dbus.Dictionary(whose, signature="sv"))
    authority.RegisterAuthenticationAgent(subject, "en_US.UTF-8", PATH)
    loop = GLib.MainLoop()

    def do(command, rest):
        if command == "asked":
            return agent.question and agent.question["action"]
        if command == "answer":
            return agent.answer(rest)
        if command == "dismiss":
            return agent.dismiss()
        raise ValueError(command)

    def heard(source, condition):
        line = sys.stdin.readline()
        if line == "":
            loop.quit()
            return False
        command, _, rest = line.strip().partition(" ")
        try:
            said = {"ok": do(command, rest)}
        except Exception as error:
            said = {"error": repr(error)}
        print(json.dumps(said), flush=True)
        return True

    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, heard)
    print("ready", flush=True)
    loop.run()


main()
