/** Accounts of this host (PAM): off until groups are named whose members may sign in, each with its role. */
import { ContractError, type Grant } from "../../lib/contract/mod.ts";
import { log } from "../log.ts";
import type { HostRoles } from "../../lib/access/host_roles.ts";
import { HostQuestions } from "./host_questions.ts";

/** The file that says how: without it PAM takes `other`, which on Debian lets everybody in who has a password. */
export const PAM_SERVICE = "kvm-manager";
/** Where such files are. */
const PAM_FOLDERS = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/share/pam.d"];

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

export class HostAccounts {
  readonly #questions = new HostQuestions();

  constructor(private readonly roles: HostRoles) {}

  /**
   * What somebody may do, as the host's groups say now; undefined when the password is wrong, or no group is theirs.
   *
   * @throws {ContractError} TooManyRequests
   */
  async check(user: string, password: string, address: string): Promise<Grant[] | undefined> {
    // What no C text and no account can hold.
    if (password.includes("\0") || !/^[a-z][a-z0-9._-]{0,31}$/.test(user)) return undefined;
    try {
      if (!await hasService()) {
        log.error(
          "accounts of the host are refused: there is no /etc/pam.d/kvm-manager. Make it, on Debian with " +
            '"@include common-auth" and "@include common-account"',
        );
        return undefined;
      }
      const answer = await this.#questions.ask({ service: PAM_SERVICE, user, password, address });
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
      if (error instanceof ContractError) throw error;
      log.error("PAM could not be asked", { error });
      return undefined;
    }
  }
}
