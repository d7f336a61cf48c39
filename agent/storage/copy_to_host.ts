/**
 * Copying a volume from one host to another. Its content is a download there and an upload here, carried out by the commands that
 * people have, with their rights; when a line breaks, both go on at the byte that has arrived.
 */
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import {
  type CommandName,
  ContractError,
  type ErrorCode,
  type Input,
  type Output,
  type volumeCopyCommands,
} from "../../lib/contract/mod.ts";
import type { AccessWorld } from "../access/authorise.ts";
import type { Principal } from "../access.ts";
import type { Content, Dispatch, Handlers, Whole } from "../dispatch.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import { pause } from "../within.ts";
import { RunningChecksum } from "./checksum.ts";
import { ChunkWriter } from "./chunk_writer.ts";
import { PieceSource } from "./piece_source.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

/** Services for a copy between hosts: dispatch, this host, and look-up of hosts. */
export interface CopyServices {
  readonly dispatch: Dispatch;
  readonly hosts: Pick<HostRegistry, "local">;
  readonly places: Pick<AccessWorld, "hostOf">;
}

/** Milliseconds before it goes on after a break: the first time, and at most. */
const FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 15_000;
/** Milliseconds without a further byte after which it gives up. An upload that broke off is kept for an hour. */
const GIVE_UP_MS = 10 * 60_000;
/** Milliseconds in which the other host must see that an upload broke off, and between two tries to remove it. */
const UNDO_MS = 20_000, UNDO_LOOK_MS = 250;

/** Errors of a line that broke: what was asked for may succeed when it is asked again. */
const BROKEN: ReadonlySet<ErrorCode> = new Set([
  "UploadBroken",
  "DownloadFailed",
  "LinkedHostAway",
  "LinkUndecided",
  "LinkedHostNonsense",
  "UploadRunning",
  // What was under way has arrived since it was asked how much there is
  "UploadOffset",
  "LibvirtUnavailable",
]);

export const isBroken = (error: unknown): error is ContractError =>
  error instanceof ContractError && BROKEN.has(error.code);

/** Calls a command as the user who has asked for the copy. */
export type CommandCall = <N extends CommandName>(
  command: N,
  input: Input<N> & { readonly host: string },
  content?: Content,
) => Promise<Output<N>>;

/** From where to where. Hosts are ids. */
export interface VolumeCopyPlan {
  readonly from: { readonly host: string; readonly pool: string; readonly volume: string };
  readonly to: { readonly host: string; readonly pool: string; readonly volume: string };
}

/** The hash of what is read, each byte once, also where it is read again after a break. */
class SourceSum implements Disposable {
  readonly #sum = new RunningChecksum();
  readonly #writer = new ChunkWriter([this.#sum]);
  #counted = 0;

  /** Bytes that were read, from the start on. */
  get counted(): number {
    return this.#counted;
  }

  /** @param at offset of the bytes in the volume */
  async take(bytes: Uint8Array, at: number): Promise<void> {
    const fresh = bytes.subarray(Math.max(0, this.#counted - at));
    this.#counted = Math.max(this.#counted, at + bytes.length);
    await this.#writer.put(fresh);
  }

  async sha256(): Promise<string> {
    await this.#writer.flush();
    return await this.#sum.sha256();
  }

  [Symbol.dispose](): void {
    this.#sum[Symbol.dispose]();
  }
}

/** One volume on its way. */
export class HostCopy implements Disposable {
  readonly #call: CommandCall;
  readonly #plan: VolumeCopyPlan;
  readonly #job: Pick<JobHandle, "signal" | "log" | "progress">;
  readonly #sum = new SourceSum();
  #whole: Whole | undefined;
  /** Bytes that the other host has. */
  #arrived = 0;

  constructor(call: CommandCall, plan: VolumeCopyPlan, job: Pick<JobHandle, "signal" | "log" | "progress">) {
    this.#call = call;
    this.#plan = plan;
    this.#job = job;
  }

  [Symbol.dispose](): void {
    this.#sum[Symbol.dispose]();
  }

  /** @throws {ContractError} */
  async run(): Promise<Output<"upload_volume">> {
    let movedAt = performance.now(), pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const before = this.#arrived;
      try {
        const made = await this.#attempt();
        const sha256 = await this.#sum.sha256();
        if (sha256 === made.sha256) return made;
        throw new ContractError("ChecksumMismatch", { sha256: made.sha256, wanted: sha256 });
      } catch (error) {
        this.#job.signal.throwIfAborted();
        if (!isBroken(error)) throw error;
        if (this.#arrived > before) {
          movedAt = performance.now();
          pauseMs = FIRST_PAUSE_MS;
        }
        if (performance.now() - movedAt > GIVE_UP_MS) throw error;
        this.#job.log(error.sentence);
      }
      await pause(pauseMs, this.#job.signal);
      this.#job.signal.throwIfAborted();
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      await this.#findOffset();
    }
  }

  /** Removes what has arrived. One that cannot be reached removes it by itself after an hour. */
  async undo(): Promise<void> {
    for (const until = performance.now() + UNDO_MS;;) {
      try {
        return void await this.#call("delete_upload", this.#plan.to);
      } catch (error) {
        const code = error instanceof ContractError ? error.code : undefined;
        if (code === "UploadNotFound") return;
        // It may not have seen yet that nothing more comes
        if (code !== "UploadRunning" || performance.now() > until) {
          return log.warn("an unfinished copy could not be removed there", { ...this.#plan.to, error });
        }
        await pause(UNDO_LOOK_MS);
      }
    }
  }

  /** Asks how much has arrived. Where that cannot be told, the next attempt finds out. */
  async #findOffset(): Promise<void> {
    try {
      const { offset } = await this.#call("get_upload", this.#plan.to);
      // Its checksum could only be wrong in the end
      if (offset > this.#sum.counted) {
        throw this.#failed("more than was sent is said to have arrived. Copy it again");
      }
      this.#arrived = offset;
    } catch (error) {
      if (error instanceof ContractError && error.code === "UploadNotFound") this.#arrived = 0;
      else if (!isBroken(error)) throw error;
    }
  }

  /** Sends what has not arrived. */
  async #attempt(): Promise<Output<"upload_volume">> {
    const { from, to } = this.#plan, offset = this.#arrived;
    let stream: ReadableStream<Uint8Array> | undefined;
    await this.#call("download_volume", from, {
      choose: (whole) => this.#part(whole, offset),
      answer: (content) => void (stream = content),
    });
    const whole = this.#whole;
    if (stream === undefined || whole === undefined) throw this.#failed("it gives no content");
    let at = offset;
    const body = new PieceSource(stream, async (bytes) => {
      await this.#sum.take(bytes, at);
      at += bytes.length;
      this.#job.progress(at, whole.size);
    });
    const stop = () => body.interrupt(this.#job.signal.reason);
    this.#job.signal.addEventListener("abort", stop);
    try {
      const { size } = whole;
      return await this.#call("upload_volume", { ...to, size, offset, resumable: true, unpack: "never" }, {
        body,
      });
    } catch (error) {
      // The cause is at the other end
      const { fault } = body;
      throw isBroken(error) && fault instanceof ContractError && !isBroken(fault) ? fault : error;
    } finally {
      this.#job.signal.removeEventListener("abort", stop);
      body.end();
    }
  }

  /** The part that is read. @throws {ContractError} VolumeCopyFailed where the volume is not what it was before */
  #part(whole: Whole, offset: number) {
    const known = this.#whole ??= whole;
    if (whole.size === 0) throw this.#failed("the volume is empty");
    if (whole.size !== known.size || whole.version !== known.version) {
      throw this.#failed("the volume was changed meanwhile. Copy it when nothing writes to it");
    }
    return { offset, length: whole.size - offset };
  }

  #failed(error: Sentence): ContractError {
    return new ContractError("VolumeCopyFailed", { host: this.#plan.to.host, error });
  }
}

/** Refuses volumes that are built on others. @throws {ContractError} VolumeNotFound, VolumeCopyFailed */
async function requireAlone(call: CommandCall, { from, to }: VolumeCopyPlan): Promise<void> {
  const volumes = await call("get_volumes", { host: from.host, pool: from.pool });
  const found = volumes.find(({ name }) => name === from.volume);
  if (found === undefined) throw new ContractError("VolumeNotFound", { pool: from.pool, name: from.volume });
  if (found.backing === undefined) return;
  throw new ContractError("VolumeCopyFailed", {
    host: to.host,
    error:
      message`it is built on ${found.backing.path}, which is not there. Clone the volume first: the clone stands alone`,
  });
}

/** The pool there. @throws {ContractError} InvalidInput with those that can be chosen */
export async function requirePoolThere(call: CommandCall, { to }: Pick<VolumeCopyPlan, "to">): Promise<void> {
  const pools = await call("get_storage_pools", { host: to.host });
  if (pools.some(({ name }) => name === to.pool)) return;
  const names = pools.filter(({ state }) => state === "running").map(({ name }) => name);
  const reason = names.length === 0
    ? `${to.host} has no storage pool that is started`
    : `${to.host} has no storage pool ${to.pool}. Choose one of: ${names.join(", ")}`;
  throw new ContractError("InvalidInput", { reason, field: "toPool" });
}

/** The id of a host. @throws {ContractError} HostNotFound */
export function requireHostId({ places }: Pick<CopyServices, "places">, host: string): string {
  const id = places.hostOf({ host });
  if (id === undefined) throw new ContractError("HostNotFound", { host });
  return id;
}

/** Calls commands on whichever host as somebody. */
export const commandCallerOf =
  ({ dispatch }: Pick<CopyServices, "dispatch">, principal: Principal): CommandCall =>
  async (command, input, content) =>
    // Its answer is as the contract says
    await dispatch(command, input, principal, content) as never;

/** The handler. */
export function copyToHost(app: CopyServices): Pick<Handlers, keyof typeof volumeCopyCommands> {
  const hostOf = (host: string) => requireHostId(app, host);
  return {
    copy_volume_to_host: async (input, { principal }) => {
      const { pool, volume } = input;
      const plan: VolumeCopyPlan = {
        from: { host: hostOf(input.host ?? LOCAL_HOST), pool, volume },
        to: { host: hostOf(input.toHost), pool: input.toPool ?? pool, volume: input.name ?? volume },
      };
      const { from, to } = plan, call = commandCallerOf(app, principal);
      if (from.host === to.host) {
        const reason = `the volume is on ${to.host}. To copy it there, clone it (clone_volume)`;
        throw new ContractError("InvalidInput", { reason, field: "toHost" });
      }
      await requireAlone(call, plan);
      await requirePoolThere(call, plan);
      return await app.hosts.local.jobs.run({
        command: "copy_volume_to_host",
        title: message`Copy ${volume} to ${to.host}`,
        actor: principal.name,
        subject: `${pool}/${volume}`,
        ...(from.host !== LOCAL_HOST && { host: from.host }),
        lane: "send",
        ifInterrupted: "Copy it again. What has arrived there is removed after an hour.",
      }, async (job) => {
        using copy = new HostCopy(call, plan, job);
        try {
          const { name, path, size, sha256, warnings, pool } = await copy.run();
          return { host: to.host, pool, name, path, size, sha256, warnings };
        } catch (error) {
          await copy.undo();
          throw error;
        }
      });
    },
  };
}
