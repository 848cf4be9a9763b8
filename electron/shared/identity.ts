/** What Culvert is called where names must be unique: desktop files, D-Bus, icons, polkit. Never changes. */

/** Reverse-DNS id; the desktop file, the icon and the window's application id are named by it. */
export const appId = 'io.github.culvert_app.Culvert';
/** As people read it. */
export const productName = 'Culvert';
/**
 * The namespace of the polkit actions with which the helper is allowed: the same id with the hyphen for which the
 * underscore stands, as polkit knows no underscores (polkit(8), Declaring actions).
 */
export const polkitNamespace = appId.replaceAll('_', '-');
/** polkit wants the file to be named after the namespace. */
export const policyName = `${polkitNamespace}.policy`;
/** The one action: a lane made by root. The desktop's question is of it. */
export const polkitAction = `${polkitNamespace}.isolated-network`;

/** Where every package puts the product; only root may write there. */
export const installDir = '/opt/Culvert';
/** Electron's program as packages name it; the command line is `culvert`. */
export const windowProgram = 'culvert-desktop';
/** Below the window's program: what engine, helper and command line are made of, in files of their own. */
export const productPath = 'resources/culvert';
/** What the polkit action is for (pkexec(1), org.freedesktop.policykit.exec.path). */
export const installedHelper = `${installDir}/${productPath}/bin/culvert-helper`;
