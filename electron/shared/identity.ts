/** What Culvert is called where names must be unique: desktop files, D-Bus, icons, polkit. Never changes. */

/** Reverse-DNS id; the desktop file, the icon and the window's application id are named by it. */
export const appId = 'io.github.culvert_app.Culvert';
/** As people read it. */
export const productName = 'Culvert';
