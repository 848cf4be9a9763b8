/**
 * What is not right in a form yet, field by field: found here as one types, or said by the engine when it is saved.
 * Pure. A field is named by its place in the profile, a server in it by its id: `chain.servers.server-1.port`.
 *
 * Must not: let anything through that the engine's border would refuse as a whole.
 */
import * as v from 'valibot';
import { parseAddress } from '#shared/address-range.ts';
import type { Failure } from '#shared/failure.ts';
import type { Phrase, PhraseValue } from '#shared/phrase.ts';
import { profile as profileSchema, type Profile } from '#shared/profile.ts';
import { plainFingerprint, plainHost, portsIn, profileOf, takesSome } from './profile-form.ts';
import type { ProfileForm, ServerForm } from './profile-form.ts';

export type ProblemWord =
  | 'name'
  | 'nameLong'
  | 'colour'
  | 'letter'
  | 'host'
  | 'hostForm'
  | 'port'
  | 'userMissing'
  | 'userLong'
  | 'fingerprint'
  | 'timeout'
  | 'length'
  | 'lengthMost'
  | 'resolver'
  | 'egress'
  | 'ports'
  | 'portsMost'
  | 'failover'
  | 'failoverGone'
  | 'failoverCycle'
  | 'servers'
  | 'other';

export interface FormProblem {
  readonly path: string;
  readonly word: ProblemWord;
  /** For the words' places. */
  readonly most?: number;
}

/** What the engine says of a field. */
export interface SaidProblem {
  readonly path: string;
  readonly said: Phrase;
}

const mostServers = 256;
const mostPorts = 32;

export function serverPath(id: string, field: string): string {
  return `chain.servers.${id}.${field}`;
}

/** Everything that is wrong, in the order of the form. `others` are the profiles that are saved. */
export function problemsOf(form: ProfileForm, others: readonly Profile[]): FormProblem[] {
  const found = [
    ...lookProblems(form),
    ...form.servers.flatMap(serverProblems),
    ...chainProblems(form),
    ...resolverProblems(form),
    ...failoverProblems(form, others),
    ...computerProblems(form),
  ];
  return found.length > 0 ? found : schemaProblems(form);
}

function lookProblems({ name, colour, letter }: ProfileForm): FormProblem[] {
  const found: FormProblem[] = [];
  if (name.trim() === '') found.push({ path: 'name', word: 'name' });
  else if (name.trim().length > 60) found.push({ path: 'name', word: 'nameLong' });
  if (letter.trim().length > 2) found.push({ path: 'letter', word: 'letter' });
  if (!/^#[0-9a-f]{6}$/i.test(colour.trim())) found.push({ path: 'colour', word: 'colour' });
  return found;
}

function serverProblems(server: ServerForm): FormProblem[] {
  const { id, kind, port, user, password, timeout } = server;
  const at = (field: string, word: ProblemWord): FormProblem => ({ path: serverPath(id, field), word });
  const host = plainHost(server.host);
  const found: FormProblem[] = [];
  if (host === '') found.push(at('host', 'host'));
  else if (!isHost(host)) found.push(at('host', 'hostForm'));
  if (!isPort(port.trim())) found.push(at('port', 'port'));
  if (user === '' && password !== null && password !== '') found.push(at('user', 'userMissing'));
  if (user.length > 255) found.push(at('user', 'userLong'));
  const fingerprint = plainFingerprint(server.fingerprint);
  if (kind === 'https' && fingerprint !== '' && !/^[0-9a-f]{64}$/.test(fingerprint))
    found.push(at('fingerprint', 'fingerprint'));
  if (timeout.trim() !== '' && !(Number(timeout) >= 0.1 && Number(timeout) <= 60))
    found.push(at('timeoutMs', 'timeout'));
  return found;
}

function isHost(host: string): boolean {
  if (host.length > 253) return false;
  return host.includes(':') ? parseAddress(host) !== undefined : /^[\w.-]+$/.test(host);
}

function isPort(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function chainProblems({ mode, length, servers }: ProfileForm): FormProblem[] {
  const found: FormProblem[] = [];
  if (servers.length > mostServers) found.push({ path: 'chain.servers', word: 'servers', most: mostServers });
  if (!takesSome(mode) || length.trim() === '') return found;
  if (!/^[0-9]{1,2}$/.test(length.trim()) || Number(length) < 1 || Number(length) > 16)
    found.push({ path: 'chain.length', word: 'length' });
  else if (Number(length) > servers.length)
    found.push({ path: 'chain.length', word: 'lengthMost', most: servers.length });
  return found;
}

function resolverProblems({ dns, resolver }: ProfileForm): FormProblem[] {
  if (dns !== 'remote' || resolver.trim() === '' || isAddressAndPort(resolver.trim())) return [];
  return [{ path: 'dns.resolver', word: 'resolver' }];
}

/** `address`, `address:port` or `[address]:port`: a name would have to be looked up first. */
function isAddressAndPort(text: string): boolean {
  if (text.includes('%')) return false;
  if (parseAddress(text) !== undefined) return true;
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (port !== undefined && !isPort(port)) return false;
  return parseAddress(bracketed ?? plain ?? '')?.family === (bracketed === undefined ? 4 : 6);
}

function failoverProblems(form: ProfileForm, others: readonly Profile[]): FormProblem[] {
  if (form.policy !== 'failover') return [];
  const path = 'failure.profile';
  if (form.failover === '') return [{ path, word: 'failover' }];
  const byId = new Map(others.map((profile) => [profile.id, profile]));
  if (byId.get(form.failover)?.action !== 'proxy') return [{ path, word: 'failoverGone' }];
  const seen = new Set<string>([form.id]);
  let at: string | undefined = form.failover;
  while (at !== undefined) {
    if (seen.has(at)) return at === form.id ? [{ path, word: 'failoverCycle' }] : [];
    seen.add(at);
    const failure: Profile['failure'] | undefined = byId.get(at)?.failure;
    at = failure?.policy === 'failover' ? failure.profile : undefined;
  }
  return [];
}

function computerProblems({ egress, ports }: ProfileForm): FormProblem[] {
  const found: FormProblem[] = [];
  const device = egress.trim();
  if (device !== '' && (!/^[^\s/:]{1,15}$/.test(device) || device === '.' || device === '..'))
    found.push({ path: 'egress', word: 'egress' });
  const listed = portsIn(ports);
  if (!listed.every(isPort)) found.push({ path: 'hostAccess.loopbackPorts', word: 'ports' });
  else if (listed.length > mostPorts)
    found.push({ path: 'hostAccess.loopbackPorts', word: 'portsMost', most: mostPorts });
  return found;
}

function schemaProblems(form: ProfileForm): FormProblem[] {
  const result = v.safeParse(profileSchema, profileOf(form));
  if (result.success) return [];
  return result.issues.map((issue) => ({ path: placeIn(form, v.getDotPath(issue) ?? ''), word: 'other' }));
}

/** The place of a field, servers by their ids: `chain.servers[1].host` and `chain.servers.1.host` alike. */
function placeIn({ servers }: ProfileForm, path: string): string {
  const dotted = path.replaceAll(/\[([0-9]+)\]/g, '.$1');
  const [, number, field] = /^chain\.servers\.([0-9]+)\.(\w+)/.exec(dotted) ?? [];
  const server = number === undefined ? undefined : servers[Number(number)];
  if (server !== undefined && field !== undefined) return serverPath(server.id, field);
  return dotted.replace(/\.[0-9]+$/, '');
}

/**
 * What the engine says of the fields of the form, by the phrase of `config-invalid`. What it says of the
 * configuration's other parts is not the form's to show.
 */
export function problemsSaid({ phrase }: Pick<Failure, 'phrase'>, form: ProfileForm): SaidProblem[] {
  return statementsOf(phrase).flatMap(({ key, values }) => {
    const { field, why } = values;
    if (key !== 'config.in-field' || typeof field !== 'string' || !isPhrase(why)) return [];
    if (/^(?:profiles|rules|apps|probe|defaultProfile)\b/.test(field)) return [];
    return [{ path: placeIn(form, field), said: why }];
  });
}

function statementsOf(said: Phrase | undefined): Phrase[] {
  const all = said?.key === 'config.problems' ? said.values['all'] : undefined;
  if (typeof all !== 'object' || !('clauses' in all)) return [];
  return all.clauses.filter(isPhrase);
}

function isPhrase(value: PhraseValue | undefined): value is Phrase {
  return typeof value === 'object' && 'key' in value;
}
