/** The commands that add, change and remove hosts. */
import { ContractError, type hostListCommands } from "../../lib/contract/mod.ts";
import { linkAddress } from "../../lib/host/link_protocol.ts";
import { isLink } from "./linked/linked_host.ts";
import { checkLibvirtUri } from "../../lib/host/libvirt_uri.ts";
import { sshDestination } from "../../lib/host/ssh_destination.ts";
import { namesText } from "../../lib/coverage/coverage.ts";
import type { Handlers } from "../dispatch.ts";
import type { Clock } from "../clock.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { versionText } from "./node_info.ts";
import type { StoredHost } from "./records.ts";
import { isSameLogin, loginAfter, type LoginFields } from "./login.ts";
import { authorizeKey } from "./ssh/authorize.ts";
import { SshConnection } from "./ssh/connection.ts";
import type { SshFiles } from "./ssh/files.ts";
import { requireNewHost } from "./require_new.ts";
import { forgetHostKey, requireHostKey } from "./ssh/host_keys.ts";
import { withSsh } from "./ssh/with_ssh.ts";
import { hostStatus, type ListedHosts } from "./statuses.ts";
import { within } from "../within.ts";
import { tryConnection } from "./try_connection.ts";
import type { LinkCommand } from "./linked/handlers.ts";

type ManageCommand = Exclude<
  keyof typeof hostListCommands,
  "list_hosts" | "get_host" | "install_host" | LinkCommand
>;

/** Services for the commands that add, change and remove hosts: jobs, SSH files, the clock, and storing of a host. */
export interface HostManagement extends ListedHosts {
  readonly jobs: Pick<Jobs, "list">;
  readonly ssh: SshFiles;
  readonly clock: Clock;
  /** Keeps a host, and serves it as it is kept now, unless `check` throws. @throws {ContractError} StoreUnavailable */
  putHost(host: StoredHost, check?: () => void): Promise<void>;
  /** Forgets a host and all that is kept of it, unless `check` throws. @throws {ContractError} StoreUnavailable */
  removeHost(id: string, check?: () => void): Promise<void>;
  /** Records that would be deleted with a host, each as a noun with its name. */
  keptOf(hostId: string): string[];
}

/** The connection as libvirt gets it. @throws {ContractError} HostUriRefused */
function checkedUri(text: string): string {
  const checked = checkLibvirtUri(text);
  if ("reason" in checked) throw new ContractError("HostUriRefused", { reason: checked.reason });
  return checked.uri;
}

/** The address of a KVM Manager. @throws {ContractError} HostUriRefused */
function checkedLink(text: string): string {
  const address = linkAddress(text);
  if (address !== undefined) return address;
  throw new ContractError("HostUriRefused", {
    reason: "the address of a KVM Manager is like https://kvm2:8006",
  });
}

/** Milliseconds that a call waits for a connection that is tried once more. */
const RETRY_MS = 5000;

/** SSH fields of a call. */
interface SshAnswers {
  readonly hostKey?: string;
  readonly password?: string;
}

/**
 * Makes ready what a connection by SSH needs: the host's key is known, and ours opens it where a password is given.
 *
 * @returns the URI that libvirt is connected by
 * @throws {ContractError} HostKeyUnknown, HostKeyChanged, HostUnreachable
 */
async function prepared(files: SshFiles, uri: string, { hostKey, password }: SshAnswers): Promise<string> {
  const destination = sshDestination(uri);
  if (destination === undefined) return uri;
  await withSsh(async () => {
    await requireHostKey(files, destination, hostKey);
    if (password !== undefined) await authorizeKey(files, destination, password);
  });
  return new SshConnection(files, destination).libvirtUri(uri);
}

/** Checks before changes of hosts. */
function hostChecks(app: HostManagement) {
  const { hosts, hostRecords, jobs } = app;
  /** @throws {ContractError} HostNotFound, HostStays */
  const kept = (id: string): StoredHost => {
    const found = hostRecords.get(id);
    if (found !== undefined) return found;
    if (hosts.named(id) === hosts.local) throw new ContractError("HostStays");
    throw new ContractError("HostNotFound", { host: id });
  };
  /** @throws {ContractError} HostBusy while a task is under way there */
  const requireIdle = ({ id, label }: StoredHost): void => {
    const work = jobs.list(1000, true).find((job) => job.host === id)?.title;
    if (work !== undefined) throw new ContractError("HostBusy", { host: label, work });
  };
  /** @throws {ContractError} HostBusy while a change there is under way, or was cut short and is not settled */
  const requireSettled = ({ id, label }: StoredHost): void => {
    if ((hosts.served(id)?.operations.open ?? 0) === 0) return;
    throw new ContractError("HostBusy", { host: label, work: "a change that is not settled" });
  };
  /** @throws {ContractError} InvalidInput; a link has no libvirt to sign in to */
  const loginOf = (before: StoredHost, uri: string, fields: LoginFields) => {
    const { username = before.unreadLogin?.username } = fields;
    const isGiven = fields.username !== undefined || fields.userPassword !== undefined;
    if (!isGiven && before.unreadLogin !== undefined) return undefined;
    const after = loginAfter(
      before,
      uri,
      { ...fields, ...(username !== undefined && { username }) },
      app.clock.now(),
    );
    if (after === undefined || !isLink(before)) return after;
    throw new ContractError("InvalidInput", {
      field: "username",
      reason: "username is of a libvirt: a linked host has a key instead",
    });
  };
  /** Waits, a bounded time, until a host was connected to. @throws {ContractError} HostExists where its libvirt is another host's */
  const connected = async (id: string, undo: () => Promise<void>): Promise<void> => {
    const host = hosts.served(id);
    await host?.settled();
    if (host?.otherLibvirts.sameAs === undefined) return;
    await undo();
    throw new ContractError("HostExists", { host: host.otherLibvirts.sameAs });
  };

  return { kept, requireIdle, requireSettled, loginOf, connected };
}

/** A handler for each of them. */
export function manageHostHandlers(app: HostManagement): Pick<Handlers, ManageCommand> {
  const { hosts, ssh } = app, { kept, requireIdle, requireSettled, loginOf, connected } = hostChecks(app);

  return {
    add_host: async ({ name, label = name, uri: wanted, ...answers }, { principal }) => {
      const uri = checkedUri(wanted), now = app.clock.now(), login = loginAfter({ uri }, uri, answers, now);
      requireNewHost(app, name, uri);
      await prepared(ssh, uri, answers);
      const added = { id: name, label, uri, added: now, isEnabled: true, ...(login && { login }) };
      // Meanwhile another call may have added it
      await app.putHost(added, () => requireNewHost(app, name, uri));
      await connected(name, () => app.removeHost(name));
      return hostStatus(app, name, principal);
    },
    get_ssh_key: () => withSsh(async () => ({ publicKey: await ssh.publicKey() })),
    test_host: async ({ uri: wanted, ...answers }) => {
      const uri = checkedUri(wanted), login = loginAfter({ uri }, uri, answers, app.clock.now());
      const address = { uri: await prepared(ssh, uri, answers), ...(login && { login }) };
      const began = performance.now();
      const { hostname, libvirtVersion } = await tryConnection(uri, address);
      const tookMs = Math.round(performance.now() - began);
      return { hostname, version: versionText(libvirtVersion), tookMs };
    },
    update_host: async ({ hostId, label, uri: wanted, force = false, ...answers }, { principal }) => {
      const before = kept(hostId), checkedAddress = isLink(before) ? checkedLink : checkedUri;
      const uri = wanted === undefined ? before.uri : checkedAddress(wanted);
      const isMoved = uri !== before.uri;
      const login = loginOf(before, uri, answers), isOther = !isSameLogin(login, before.login);
      const check = () => {
        // One that is not connected has no work that another sign-in could cut
        if (isOther && hosts.served(hostId)?.link.status.connected === true) requireIdle(before);
        if (!isMoved) return;
        requireNewHost(app, hostId, uri, hostId);
        requireIdle(before);
        requireSettled(before);
        const things = app.keptOf(hostId);
        if (things.length === 0 || force) return;
        throw new ContractError("HostMoveKeeps", { host: before.label, things: namesText(things) });
      };
      check();
      if (wanted !== undefined || answers.hostKey !== undefined || answers.password !== undefined) {
        await prepared(ssh, uri, answers);
      }
      const { login: _before, unreadLogin, ...current } = kept(hostId);
      const isKept = unreadLogin !== undefined && !isMoved && answers.username === undefined &&
        answers.userPassword === undefined;
      const changed = {
        ...current,
        uri,
        label: label ?? before.label,
        ...(login && { login }),
        ...(isKept && { unreadLogin }),
      };
      await app.putHost(changed, check);
      // Whatever may have changed there, the connection is worth another try; another user or password has had one
      const isTried = wanted !== undefined || answers.userPassword !== undefined;
      if (!isMoved && !isOther && isTried) await within(RETRY_MS, hosts.served(hostId)?.link.retry());
      if (isMoved) await connected(hostId, () => app.putHost(before));
      return hostStatus(app, hostId, principal);
    },
    enable_host: async ({ hostId, enabled }, { principal }) => {
      const before = kept(hostId);
      const check = () => {
        if (enabled) return;
        requireIdle(before);
        requireSettled(before);
      };
      check();
      if (before.isEnabled !== enabled) await app.putHost({ ...before, isEnabled: enabled }, check);
      if (enabled) await connected(hostId, () => app.putHost({ ...before, isEnabled: false }));
      return hostStatus(app, hostId, principal);
    },
    remove_host: async ({ hostId, force = false }) => {
      const check = () => {
        const host = kept(hostId), open = hosts.served(hostId)?.operations.open ?? 0;
        requireIdle(host);
        const things = [...app.keptOf(hostId), ...open === 0 ? [] : ["a change that is not settled"]];
        if (things.length === 0 || force) return;
        throw new ContractError("HostKeeps", { host: host.label, things: namesText(things) });
      };
      check();
      const destination = sshDestination(kept(hostId).uri);
      await app.removeHost(hostId, check);
      if (destination !== undefined) await forgetHostKey(ssh, destination);
      return null;
    },
  };
}
