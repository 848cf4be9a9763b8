"""A panel of a test's own on a session bus: it shows status icons (org.kde.StatusNotifierWatcher with a host) and
notifications, and does with them what it is told.

    status-area.py [--without-host]

Each line of its input is a command, answered by one line of JSON: `icons`, `menu`, `click LABEL...` with `/` between
the labels of a menu and an item within it, `activate`, `notices`, `press` (the newest notice), `leave`.
"""

import json
import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

WATCHER = "org.kde.StatusNotifierWatcher"
NOTICES = "org.freedesktop.Notifications"
PROPERTIES = "org.freedesktop.DBus.Properties"
MENU = "com.canonical.dbusmenu"
ITEM = "org.kde.StatusNotifierItem"


class Watcher(dbus.service.Object):
    def __init__(self, bus, has_host):
        self.name = dbus.service.BusName(WATCHER, bus, do_not_queue=True)
        super().__init__(bus, "/StatusNotifierWatcher")
        self.has_host = has_host
        self.icons = []

    @dbus.service.method(WATCHER, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierItem(self, service, sender=None):
        # Some give the path of their item, some the name of their connection.
        path = service if service.startswith("/") else "/StatusNotifierItem"
        name = sender if service.startswith("/") else service
        if "/" in name:
            name, path = name.split("/", 1)
            path = "/" + path
        self.icons.append((name, path))
        self.StatusNotifierItemRegistered(name + path)

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return self.GetAll(interface)[name]

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {
            "IsStatusNotifierHostRegistered": dbus.Boolean(self.has_host),
            "ProtocolVersion": dbus.Int32(0),
            "RegisteredStatusNotifierItems": dbus.Array([name + path for name, path in self.icons], "s"),
        }

    @dbus.service.signal(WATCHER, signature="s")
    def StatusNotifierItemRegistered(self, service):
        pass

    @dbus.service.signal(WATCHER, signature="")
    def StatusNotifierHostRegistered(self):
        pass


class Notices(dbus.service.Object):
    def __init__(self, bus):
        self.name = dbus.service.BusName(NOTICES, bus)
        super().__init__(bus, "/org/freedesktop/Notifications")
        self.shown = []

    @dbus.service.method(NOTICES, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, title, text, actions, hints, timeout):
        self.shown.append({"title": str(title), "text": str(text), "actions": [str(name) for name in actions]})
        return dbus.UInt32(len(self.shown))

    @dbus.service.method(NOTICES, out_signature="as")
    def GetCapabilities(self):
        return ["actions", "body"]

    @dbus.service.method(NOTICES, out_signature="ssss")
    def GetServerInformation(self):
        return ("status-area", "test", "1", "1.2")

    @dbus.service.method(NOTICES, in_signature="u")
    def CloseNotification(self, number):
        pass

    @dbus.service.signal(NOTICES, signature="us")
    def ActionInvoked(self, number, action):
        pass


class Panel:
    def __init__(self, bus, has_host):
        self.bus = bus
        self.notices = Notices(bus)
        self.watcher = Watcher(bus, has_host)

    def icon(self, interface):
        name, path = self.watcher.icons[-1]
        return dbus.Interface(self.bus.get_object(name, path), interface)

    def tree(self):
        """The menu as it is now, whole: items as dictionaries, in order."""
        name, _ = self.watcher.icons[-1]
        path = self.icon(PROPERTIES).Get(ITEM, "Menu")
        self.menu = dbus.Interface(self.bus.get_object(name, path), MENU)
        self.menu.AboutToShow(0)
        _, root = self.menu.GetLayout(0, -1, dbus.Array([], "s"))
        return self.items(root)

    def items(self, node):
        number, properties, children = node
        return [self.item(child) for child in children]

    def item(self, node):
        number, properties, children = node
        said = {str(key): value for key, value in properties.items()}
        return {
            "number": int(number),
            "label": str(said.get("label", "")),
            "isSeparator": said.get("type", "") == "separator",
            "isEnabled": bool(said.get("enabled", True)),
            "toggle": str(said.get("toggle-type", "")),
            "isChecked": int(said.get("toggle-state", -1)) == 1,
            "items": self.items(node),
        }

    def click(self, *labels):
        items = self.tree()
        for label in labels:
            found = next(item for item in items if item["label"] == label)
            items = found["items"]
        if not found["isEnabled"]:
            return False
        self.menu.Event(found["number"], "clicked", dbus.Int32(0, variant_level=1), dbus.UInt32(0))
        return True

    def do(self, command, rest):
        if command == "icons":
            return len(self.watcher.icons)
        if command == "icon":
            get = lambda name: self.icon(PROPERTIES).Get(ITEM, name)
            return {"id": str(get("Id")), "title": str(get("Title")), "status": str(get("Status"))}
        if command == "menu":
            return self.tree()
        if command == "click":
            return self.click(*rest.split("/"))
        if command == "activate":
            self.icon(ITEM).Activate(0, 0)
            return True
        if command == "notices":
            return self.notices.shown
        if command == "press":
            self.notices.ActionInvoked(len(self.notices.shown), "default")
            return True
        if command == "arrive":
            self.watcher.has_host = True
            self.watcher.StatusNotifierHostRegistered()
            return True
        raise ValueError(command)


def main():
    DBusGMainLoop(set_as_default=True)
    panel = Panel(dbus.SessionBus(), "--without-host" not in sys.argv)
    loop = GLib.MainLoop()

    def heard(source, condition):
        line = sys.stdin.readline()
        if line == "":
            loop.quit()
            return False
        command, _, rest = line.strip().partition(" ")
        try:
            answer = {"ok": panel.do(command, rest)}
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)
        return True

    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, heard)
    print("ready", flush=True)
    loop.run()


main()
