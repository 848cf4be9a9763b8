/**
 * The door of what people do with profiles: typing, adding, changing, removing, importing, exporting and finding
 * proxies. Loaded by those who ask for it, for it brings the readers of all kinds of imports with it.
 */
export { checkedDraft } from './draft.ts';
export { passwordsOf, passwordsWith, type ServerPassword } from './kept-passwords.ts';
export { newProfile, serversOf } from './new-profile.ts';
export {
  allUsesOf,
  ProfileKeeper,
  type AllUses,
  type KeeperOptions,
  type PasswordChange,
} from './profile-keeper.ts';
export { profilesAsJson, profilesAsLinks, profilesOf, rulesFor, whyNothing } from './transfer.ts';
export { proxyTextsIn, readProxies, readProxy, type TypedProxies, type TypedProxy } from './typed-proxies.ts';
