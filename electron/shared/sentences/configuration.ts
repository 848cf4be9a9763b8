/** What to say of profiles, rules, passwords and what else people write. */
import type { Themed } from './sentence.ts';

export const configuration = {
  'option-invalid': {
    what: 'an option was not understood',
    why: 'its value is not one of those that are possible',
    todo: 'see `culvert help VERB`',
  },
  'profile-unknown': {
    what: 'there is no such profile',
    why: 'none has this id, or it was deleted',
    todo: 'see `culvert profile ls`',
  },
  'profile-missing': {
    what: 'no profile was chosen for the app',
    why: 'it has none of its own, and none is the default',
    todo: 'choose one to open it through, or make one the default',
  },
  'profile-in-use': {
    what: 'the profile was not deleted',
    why: 'something still uses it',
    todo: 'change that first, or delete it with --force: rules and profiles that lead to it will then block',
  },
  'rule-unknown': {
    what: 'there is no such rule',
    why: 'none has this id',
    todo: 'see `culvert rule ls`',
  },
  'rule-invalid': {
    what: 'the rule was not understood',
    why: 'a part of it is not what it should be',
    todo: 'correct it and try again; nothing was changed',
  },
  'undo-outdated': {
    what: 'the change was not taken back',
    why: 'something else has changed the rules since',
    todo: 'look at the rules as they are now, and change them by hand',
  },
  'query-invalid': {
    what: 'the query was not understood',
    why: 'a part of it is not what it should be',
    todo: 'see `culvert connections --help`',
  },
  'import-invalid': {
    what: 'nothing was imported',
    why: 'the text is not of a kind that Culvert can read',
    todo: 'give proxy links, a proxychains.conf, a Proxifier profile or a Clash file',
  },
  'config-invalid': {
    what: 'the configuration was not understood',
    why: 'a field in culvert.json is not what it should be',
    todo: 'correct the place that is named here; the last good copy beside it is unchanged',
  },
  'config-newer': {
    what: 'the configuration was not read',
    why: 'a newer version of Culvert wrote it',
    todo: 'use that version, or move culvert.json away to begin anew',
  },
  'config-unwritable': {
    what: 'the configuration was not saved',
    why: 'the file or its directory cannot be written',
    todo: 'make room or give yourself the right to write there; the old configuration is unchanged',
  },
  'config-locked': {
    what: 'the configuration was not saved',
    why: 'another Culvert is writing it and does not come to an end',
    todo: 'try again; the old configuration is unchanged',
  },
  'file-unwritable': {
    what: 'the file was not saved',
    why: 'it or its directory cannot be written',
    todo: 'choose another place, or make room there',
  },
  'secrets-unavailable': {
    what: 'the password cannot be stored safely',
    why: 'there is no Secret Service in this session',
    todo: 'unlock or start a keyring; until then it is kept in a file that only you can read',
  },
  'secret-unreadable': {
    what: 'the password of the proxy could not be read',
    why: 'the place where it is kept is locked, does not answer or is damaged',
    todo: 'unlock the keyring, or set the password again (`culvert profile edit PROFILE --password-stdin`)',
  },
} satisfies Themed;
