/** Accounts of this host (PAM): off until groups are named whose members may sign in, each with its role. */
import { workerUrl } from "../../lib/bundle.ts";
import { ContractError, type Grant } from "../../lib/contract/mod.ts";
import type { HostAnswer, HostQuestion } from "../../ffi/pam.ts";
import type { FromPam } from "../../ffi/pam_worker.ts";
import { log } from "../log.ts";

/** The file that says how: without it PAM takes `other`, which on Debian lets everybody in who has a password. */
export const PAM_SERVICE = "kvm-manager";
/** Where such files are. */
const PAM_FOLDERS = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/share/pam.d"];
/** Questions at once, each a thread that may hang in a module; beyond it they are refused. */
const AT_ONCE = 4;
/** Milliseconds a question may take. */
const LIMIT_MS = 30_000;

/** Group → role. */
export type HostRoles = ReadonlyMap<string, string>;

/** The setting `pam`: `group=role,…`; null for `off`. @throws {Error} saying what is wrong */
export function hostRolesIn(setting: string): HostRoles | null {
  if (setting === "off") return null;
  return new Map(
    setting.split(",").map((part) => {
      const [, group, role] = /^\s*([A-Za-z0-9_.][A-Za-z0-9_.@-]*)=([a-z][a-z0-9-]*)\s*$/.exec(part) ?? [];
      if (group === undefined || role === undefined) {
        throw new Error(`${JSON.stringify(part)} is not GROUP=ROLE, such as kvm-admins=administrator`);
      }
      return [group, role];
    }),
  );
}

async function hasService(): Promise<boolean> {
  for (const folder of PAM_FOLDERS) {
    try {
      if ((await Deno.stat(`${folder}/${PAM_SERVICE}`)).isFile) return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}

/** Asks PAM, in a worker of its own. */
async function askInWorker(question: HostQuestion): Promise<HostAnswer> {
  const worker = new Worker(workerUrl("ffi/pam_worker.ts"), { type: "module", name: "pam" });
  const { promise, resolve, reject } = Promise.withResolvers<HostAnswer>();
  const timer = setTimeout(
    () => reject(new Error(`PAM did not answer within ${LIMIT_MS / 1000} s`)),
    LIMIT_MS,
  );
  worker.onmessage = ({ data }: MessageEvent<FromPam>) =>
    "answer" in data ? resolve(data.answer) : reject(new Error(data.failure));
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.postMessage(question);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    worker.terminate();
  }
}

export class HostAccounts {
  #running = 0;

  constructor(private readonly roles: HostRoles) {}

  /**
   * What somebody may do, as the host's groups say now; undefined when the password is wrong, or no group is theirs.
   *
   * @throws {ContractError} TooManyRequests
   */
  async check(user: string, password: string, address: string): Promise<Grant[] | undefined> {
    // What no C text and no account can hold.
    if (password.includes("\0") || !/^[a-z][a-z0-9._-]{0,31}$/.test(user)) return undefined;
    if (this.#running >= AT_ONCE) {
      throw new ContractError("TooManyRequests", { what: "sign-ins", limit: AT_ONCE });
    }
    this.#running++;
    try {
      if (!await hasService()) {
        log.error(
          "accounts of the host are refused: there is no /etc/pam.d/kvm-manager. Make it, on Debian with " +
            '"@include common-auth" and "@include common-account"',
        );
        return undefined;
      }
      const answer = await askInWorker({ service: PAM_SERVICE, user, password, address });
      if (answer.kind === "no") {
        log.info("PAM refused a sign-in", { user, reason: answer.reason });
        return undefined;
      }
      const roles = new Set(answer.groups.flatMap((group) => this.roles.get(group) ?? []));
      if (roles.size === 0) {
        log.info("an account of the host is in no group that may sign in", { user });
        return undefined;
      }
      return [...roles].map((role) => ({ role, on: { kind: "everything" } }));
    } catch (error) {
      log.error("PAM could not be asked", { error });
      return undefined;
    } finally {
      this.#running--;
    }
  }
}
