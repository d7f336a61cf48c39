/**
 * Installing KVM Manager on a host by SSH, step by step. What a step does there is taken back when a later one fails. The
 * host itself notes what was there before (`scripts.ts`): when this process ends in the middle, the next call goes on.
 */
import { ContractError, type HostStatus, type Peer, type Role } from "../../../lib/contract/mod.ts";
import { type InstallLook, installRefusal, readLook } from "../../../lib/host/install_look.ts";
import { invitationText, readInvitation } from "../../../lib/host/link_protocol.ts";
import type { SshDestination } from "../../../lib/host/ssh_destination.ts";
import { hosts as texts } from "../../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { layoutOf } from "../../../lib/system/install/layout.ts";
import { parseJson } from "../../../lib/text/json.ts";
import { clauseOf } from "../../../lib/text/message.ts";
import { oneLine } from "../../../lib/text/text.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { ProgramLate } from "../../machine/programs.ts";
import { Rollback } from "../../rollback.ts";
import { authorizeKey, removeTemporaryLine, temporaryLine } from "../ssh/authorize.ts";
import type { SshFiles } from "../ssh/files.ts";
import { RemoteFailure, RemoteShell } from "../ssh/remote_shell.ts";
import { judgedFindings } from "./examination.ts";
import * as scripts from "./scripts.ts";
import { urlHost } from "../../../lib/text/url_host.ts";

const { t } = textsOf(texts);

/** Milliseconds for the copy, the check, the installation and its undoing. */
const COPY_MS = 30 * 60_000, CHECK_MS = 120_000, INSTALL_MS = 240_000, UNDO_MS = 300_000;
/** Seconds in which KVM Manager answers there once it was started. */
const ANSWER_S = 60;
/** Milliseconds for a connection to its port from here. */
const REACH_MS = 10_000;
/** Tries to undo, and milliseconds between them. */
const UNDO_TRIES = 5, UNDO_PAUSE_MS = 3000;

/** The program that is copied. */
export interface Program {
  readonly path: string;
  readonly size: number;
  /** In hex. */
  readonly sha256: string;
}

/** Settings of an installation. */
export interface InstallPlan {
  readonly destination: SshDestination;
  /** The host as its pages' addresses are made of it. */
  readonly hostname: string;
  /** Port that KVM Manager listens on there; undefined for the usual port, or that of an existing installation. */
  readonly port: number | undefined;
  readonly role: Role;
  readonly password: string | undefined;
  readonly program: Program;
}

/** Services for an installation: SSH files, our public key, and linking of the new host. */
export interface InstallServices {
  readonly ssh: SshFiles;
  /** Our public key, by which the other knows us. */
  readonly publicKey: string;
  /** Links the host by an invitation. @throws {ContractError} */
  join(invitation: string): Promise<HostStatus>;
}

/** A step could not be done. */
class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Reads JSON that another host says. @throws {Refusal} for text that is not JSON */
function read(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new Refusal(t("hosts.install_nonsense"), { cause: error });
  }
}

/** The port that an installation listens at where no other is given. */
export const USUAL_PORT = 8006;

export class Installation {
  readonly #rollback = new Rollback();
  /** The present step, for people. */
  #step = t("hosts.install_connect");

  private constructor(
    private readonly plan: InstallPlan,
    private readonly services: InstallServices,
    private readonly job: JobHandle,
    private readonly shell: RemoteShell,
  ) {}

  /**
   * Carries it out.
   *
   * @throws {ContractError} HostInstallFailed with the step, why, and what of it could not be undone; JobCancelled
   */
  static async run(plan: InstallPlan, services: InstallServices, job: JobHandle): Promise<HostStatus> {
    await using shell = await RemoteShell.of(services.ssh, plan.destination);
    return await new Installation(plan, services, job, shell).#run();
  }

  async #run(): Promise<HostStatus> {
    const { job } = this;
    try {
      const status = await this.#steps();
      const left = await this.#removeKey();
      if (left !== undefined) job.log(left);
      return status;
    } catch (error) {
      if (!isExpected(error) && !job.signal.aborted) {
        await this.#undo();
        throw error;
      }
      const state = await this.#undo();
      throw new ContractError("HostInstallFailed", {
        host: this.plan.hostname,
        step: this.#step,
        reason: clauseOf(error),
        state,
      }, { cause: error });
    }
  }

  async #steps(): Promise<HostStatus> {
    await this.#signIn();
    const look = await this.#look();
    const isOurs = look.program === undefined || look.isBegun;
    if (isOurs) await this.#install(look);
    else this.job.log(t("hosts.install_present", { program: look.program! }));
    return await this.#link(look, isOurs);
  }

  #begin(step: string): void {
    this.job.signal.throwIfAborted();
    this.#step = step;
    this.job.log(step);
  }

  /** Signs in by our key, which the password lets in for this once, and finds out how root is become. */
  async #signIn(): Promise<void> {
    const { plan: { destination, password }, services: { ssh }, job: { signal } } = this;
    this.#begin(t("hosts.install_connect"));
    try {
      await this.shell.run(":", { asUser: true, signal });
    } catch (error) {
      const isRefused = error instanceof RemoteFailure && /permission denied/i.test(error.message);
      if (!isRefused) throw error;
      if (password === undefined) throw new Refusal(t("hosts.install_no_key"));
      await authorizeKey(ssh, destination, password, await temporaryLine(ssh));
    }
    const refused = await this.shell.becomeRoot(password, signal);
    if (refused !== undefined) throw new Refusal(refused);
  }

  /** Looks what is there. */
  async #look(): Promise<InstallLook> {
    this.#begin(t("hosts.install_look"));
    const look = readLook(await this.shell.run(scripts.LOOK, { signal: this.job.signal }));
    if (look.isBegun) this.job.log(t("hosts.install_goes_on"));
    if (look.program !== undefined && !look.isBegun) return look;
    if (look.isBegun) this.#rollback.add(t("hosts.install_part"), () => this.#takeBack(look));
    const refused = installRefusal(look, Deno.build.arch, look.isBegun ? 0 : this.plan.program.size);
    if (refused !== undefined) throw new Refusal(refused);
    return look;
  }

  async #install(look: InstallLook): Promise<void> {
    const { plan: { program, port = USUAL_PORT }, job, job: { signal } } = this;
    const listen = `https://0.0.0.0:${port}`;
    this.#begin(t("hosts.install_copy"));
    if (!look.isBegun) this.#rollback.add(t("hosts.install_part"), () => this.#takeBack(look));
    if (look.copied !== program.sha256) {
      await this.shell.run(scripts.COPY, {
        args: [program.sha256, ...look.parts],
        input: this.#pieces(),
        limitMs: COPY_MS,
        signal,
      });
    }
    job.progress(program.size, program.size);
    this.#begin(t("hosts.install_check"));
    const findings = await this.shell.run(scripts.EXAMINE, {
      args: [listen],
      limitMs: CHECK_MS,
      signal,
      allowed: [1, 2],
    });
    // One that an earlier call has started has the port itself
    const { refused, notes } = judgedFindings(read(findings), look.program !== undefined);
    for (const note of notes) job.log(note);
    if (refused !== undefined) throw new Refusal(refused);
    this.#begin(t("hosts.install_service"));
    await this.shell.run(scripts.INSTALL, { args: [listen], limitMs: INSTALL_MS, signal });
  }

  /** The program's content, whose progress is told. */
  async *#pieces(): AsyncGenerator<Uint8Array> {
    const { plan: { program: { path, size } }, job } = this;
    let done = 0;
    for await (const piece of (await Deno.open(path)).readable) {
      yield piece;
      done += piece.length;
      job.progress(done, size);
    }
  }

  /** Links the host. @param isNew KVM Manager was installed by this */
  async #link({ program = layoutOf("/usr/local").binary }: InstallLook, isNew: boolean): Promise<HostStatus> {
    const { plan: { hostname, role, port }, services, job: { signal } } = this;
    this.#begin(t("hosts.install_answer"));
    await this.shell.run(scripts.WAIT, {
      args: [program, String(isNew ? ANSWER_S : 0)],
      limitMs: ANSWER_S * 2000,
      signal,
    });
    this.#begin(t("hosts.install_invite"));
    const before = await this.#peers(program);
    const answer = await this.#answer(scripts.INVITE, program, role);
    const { invitation } = (answer ?? {}) as { readonly invitation?: unknown };
    const made = typeof invitation === "string" ? readInvitation(invitation) : undefined;
    if (made === undefined) throw new Refusal(t("hosts.install_nonsense"));
    // It names the host as it calls itself; from here it is reached as SSH does
    const { port: listening } = new URL(made.address);
    const at = { hostname, port: port ?? Number(listening || 443) };
    await this.#reach(at);
    this.#begin(t("hosts.install_join"));
    if (isNew) await this.shell.run(scripts.FINISH, { signal });
    else this.#rollback.add(t("hosts.install_access"), () => this.#revoke(program, before));
    signal.throwIfAborted();
    return await services.join(invitationText({ ...made, address: managerAddress(at) }));
  }

  /** Whether its port is reached from here: a firewall may be in between. @throws {Refusal} */
  async #reach({ hostname, port }: { hostname: string; port: number }): Promise<void> {
    const limit = AbortSignal.any([this.job.signal, AbortSignal.timeout(REACH_MS)]);
    try {
      (await Deno.connect({ hostname, port, signal: limit })).close();
    } catch (error) {
      this.job.signal.throwIfAborted();
      throw new Refusal(t("hosts.install_unreached", { port, reason: clauseOf(error) }));
    }
  }

  /** Runs KVM Manager's command line there and parses its answer. @throws {Refusal} if it is no JSON */
  async #answer(script: string, ...args: readonly string[]): Promise<unknown> {
    return read(await this.shell.run(script, { args }));
  }

  /** Ids of what is known there by our key. */
  async #peers(program: string): Promise<string[]> {
    const peers = await this.#answer(scripts.PEERS, program);
    return (Array.isArray(peers) ? peers as (Partial<Peer> | null)[] : []).flatMap((peer) =>
      peer?.key === this.services.publicKey && typeof peer.id === "string" ? [peer.id] : []
    );
  }

  /** Takes the access back that the other has given us, unless we had it before. */
  async #revoke(program: string, before: readonly string[]): Promise<void> {
    if (before.length > 0) return;
    for (const id of await this.#peers(program)) {
      await this.shell.run(scripts.REVOKE, { args: [program, id] });
    }
  }

  /** Undoes what was done there: over a connection that may be cut once more, while earlier work may still be ending there. */
  async #takeBack({ parts }: InstallLook): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        await this.shell.run(scripts.UNDO, { args: parts, limitMs: UNDO_MS });
        return;
      } catch (error) {
        if (!(error instanceof RemoteFailure) || tries >= UNDO_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, UNDO_PAUSE_MS));
      }
    }
  }

  /** @returns a note on the part of our key that stays; undefined if none does */
  async #removeKey(): Promise<string | undefined> {
    try {
      await removeTemporaryLine(this.services.ssh, this.shell);
      return undefined;
    } catch (error) {
      if (!isExpected(error)) throw error;
      // Where we were never let in there is no line
      return /permission denied/i.test(error.message)
        ? undefined
        : t("hosts.install_key_stays", { reason: clauseOf(error) });
    }
  }

  /** Undoes everything. @returns the outcome, for people: a sentence */
  async #undo(): Promise<string> {
    const left = (await this.#rollback.run()).map(({ what, error }) => `${what} (${clauseOf(error)})`);
    const key = await this.#removeKey();
    const state = [
      left.length === 0
        ? t("hosts.install_undone")
        : t("hosts.install_not_undone", { what: oneLine(left.join("; "), 400) }),
      ...key === undefined ? [] : [key],
    ].join(" ");
    this.job.log(state);
    return state;
  }
}

const isExpected = (error: unknown): error is Error =>
  error instanceof Refusal || error instanceof RemoteFailure || error instanceof ProgramLate ||
  error instanceof ContractError;

/** The address of a KVM Manager there. */
export const managerAddress = (
  { hostname, port }: { readonly hostname: string; readonly port: number },
): string => new URL(`https://${urlHost(hostname)}:${port}`).origin;
