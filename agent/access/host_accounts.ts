/** Accounts of this host (PAM): off until groups are named whose members may sign in, each with its role. */
import { ContractError, type Grant } from "../../lib/contract/mod.ts";
import { log } from "../log.ts";
import type { HostRoles } from "../../lib/access/host_roles.ts";
import type { HostQuestion } from "../../ffi/pam.ts";
import { HostQuestions } from "./host_questions.ts";

/** The file that says how: without it PAM takes `other`, which on Debian lets everybody in who has a password. */
export const PAM_SERVICE = "kvm-manager";
/** Folders of PAM's service files. */
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

/** A name that an account of the host can have. */
const ACCOUNT_NAME = /^[a-z][a-z0-9._-]{0,31}$/;

/** An account that the host lets in. */
export interface HostAccount {
  /** Its number on the host: another one under its name is another person. */
  readonly uid: number;
  /** Grants by the host's groups now. */
  readonly grants: Grant[];
}

/** Standing of an account on the host: its data; refused; or unknown, if PAM could not be asked. */
export type Standing = HostAccount | "refused" | "unknown";

/** Asks the host about its accounts. */
export interface HostAccountsAsked {
  check(user: string, password: string, address: string): Promise<HostAccount | undefined>;
  standing(user: string): Promise<Standing>;
}

export class HostAccounts implements HostAccountsAsked {
  /** @param questions tests bring their own */
  constructor(private readonly roles: HostRoles, private readonly questions = new HostQuestions()) {}

  /**
   * Checks a password. @returns the account with grants by the host's groups now; undefined if the password
   * is wrong, or no group gives it grants
   *
   * @throws {ContractError} TooManyRequests
   */
  async check(user: string, password: string, address: string): Promise<HostAccount | undefined> {
    // What no C text and no account can hold.
    if (password.includes("\0")) return undefined;
    const said = await this.#ask({ user, password, address });
    return typeof said === "string" ? undefined : said;
  }

  /**
   * Standing of a user who has signed in before, with grants by the host's accounts and groups now. The
   * password is not asked. PAM's account phase reports whether the account has expired; a locked password
   * counts as an account that may not be used.
   */
  async standing(user: string): Promise<Standing> {
    try {
      return await this.#ask({ user, address: "" });
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      log.warn("PAM could not be asked about an account", { user, error });
      return "unknown";
    }
  }

  /** @throws {ContractError} TooManyRequests */
  async #ask(question: Omit<HostQuestion, "service">): Promise<Standing> {
    const { user } = question;
    if (!ACCOUNT_NAME.test(user)) return "refused";
    try {
      if (!await hasService()) {
        log.error(
          "accounts of the host are refused: there is no /etc/pam.d/kvm-manager. Make it, on Debian with " +
            '"@include common-auth" and "@include common-account"',
        );
        return "refused";
      }
      const answer = await this.questions.ask({ service: PAM_SERVICE, ...question });
      if (answer.kind === "unknown") {
        log.warn("PAM cannot say now whether an account may be used", { user, reason: answer.reason });
        return question.password === undefined ? "unknown" : "refused";
      }
      if (answer.kind === "no") {
        log.info("PAM refused an account", { user, reason: answer.reason });
        return "refused";
      }
      const roles = new Set(answer.groups.flatMap((group) => this.roles.get(group) ?? []));
      if (roles.size === 0) {
        log.info("an account of the host is in no group that may sign in", { user });
        return "refused";
      }
      return { uid: answer.uid, grants: [...roles].map((role) => ({ role, on: { kind: "everything" } })) };
    } catch (error) {
      if (error instanceof ContractError) throw error;
      log.error("PAM could not be asked", { error });
      return "unknown";
    }
  }
}
