/**
 * Hooks: a webhook is told, or a local program run, when something happens to a VM of a project. One hook runs once at a time;
 * what comes too often is left out and said so, so that a hook which causes its own event ends by itself.
 */
import { ContractError } from "../../lib/contract/errors.ts";
import { HOOK_EVENTS, type HookEvent, type ToolRef } from "../../lib/contract/mod.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";
import { allowsName } from "../../lib/profiles/allowed.ts";
import { messageOf } from "../../lib/text/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { Clock } from "../clock.ts";
import type { Published } from "../events/hub.ts";
import { Rate } from "../limits.ts";
import { log } from "../log.ts";
import { deliveryFailure, post } from "../outbound/post.ts";
import type { Resolve } from "../outbound/fetch.ts";
import type { ActivityEntry } from "../store/activity.ts";
import { allWithin } from "./directories.ts";
import { HookQueue } from "./hook_queue.ts";
import { allowedProgram, runHookProgram } from "./programs.ts";
import type { StoredTool } from "./records.ts";

/** Runs of one hook for one VM, and for one project, in a minute. */
export const PER_VM = { perSecond: 10 / 60, burst: 10 } as const;
const PER_PROJECT = { perSecond: 1, burst: 60 } as const;
/** Runs of one hook that wait, of one project. */
const MOST_WAITING = 20;
/** Milliseconds that a webhook may take. */
const WEBHOOK_MS = 15_000;
/** Milliseconds in which it is said once that a hook is held. */
const TOLD_MS = 60_000;
/** Characters of what a program says that are kept. */
const MOST_SAID = 200;

/** A VM, as a hook is told of it. */
export interface HookVm {
  readonly id: string;
  readonly name: string;
  readonly state: string;
}

/** Services for hooks: tools of projects, look-up of VMs, the folder of programs, the clock, and the activity log. */
export interface HookWorld {
  readonly toolsOf: (projectId: string) => readonly ToolRef[];
  readonly tool: (name: string) => StoredTool | undefined;
  /** Project of a VM, also of one that was just deleted. */
  readonly projectOf: (vmId: string) => { readonly id: string; readonly name: string } | undefined;
  readonly vm: (vmId: string) => HookVm | undefined;
  readonly programs: string;
  /** A path with every link followed. */
  readonly resolved: (path: string) => Promise<string>;
  readonly clock: Clock;
  readonly record: (entry: ActivityEntry) => void;
  readonly resolve?: Resolve;
}

/** One run. */
interface HookRun {
  readonly tool: StoredTool;
  readonly ref: ToolRef;
  readonly event: HookEvent;
  readonly project: { readonly id: string; readonly name: string };
  readonly vm: HookVm;
}

/** Key of a hook at a project. */
const keyOf = ({ tool, project }: Pick<HookRun, "tool" | "project">): string => `${tool.id} ${project.id}`;

const isHookEvent = (name: string): name is HookEvent => (HOOK_EVENTS as readonly string[]).includes(name);

export class Hooks {
  readonly #queues = new Map<string, HookQueue>();
  readonly #ofVms: Rate;
  readonly #ofProjects: Rate;
  /** By hook and project: when it was said last that runs are left out. */
  readonly #told = new Map<string, number>();
  readonly #stop = new AbortController();

  constructor(private readonly world: HookWorld) {
    this.#ofVms = new Rate(PER_VM, world.clock);
    this.#ofProjects = new Rate(PER_PROJECT, world.clock);
  }

  /** Takes events. Never waits, never throws for a hook. */
  readonly follow = (events: readonly Published[]): void => {
    for (const [name, data] of events) {
      if (!isHookEvent(name)) continue;
      const { vmId, vm, state } = data as { vmId?: string; vm?: HookVm; state?: string };
      const id = vmId ?? vm?.id, project = id === undefined ? undefined : this.world.projectOf(id);
      if (id === undefined || project === undefined) continue;
      const seen = vm ?? this.world.vm(id);
      const told = {
        id,
        name: seen?.name ?? "",
        state: state ?? (name === "vm-deleted" ? "deleted" : seen?.state ?? ""),
      };
      for (const ref of this.world.toolsOf(project.id)) this.#consider(ref, name, project, told);
    }
  };

  #consider(ref: ToolRef, event: HookEvent, project: HookRun["project"], vm: HookVm): void {
    if (ref.tool_type !== "hook" || !allowsName(ref.permissions, event)) return;
    const tool = this.world.tool(ref.name);
    if (tool === undefined || !tool.enabled || tool.event !== event) return;
    if (tool.state !== undefined && event === "vm-state-changed" && tool.state !== vm.state) return;
    const queue = this.#queues.get(tool.id) ?? new HookQueue(MOST_WAITING);
    this.#queues.set(tool.id, queue);
    const run = { tool, ref, event, project, vm };
    const isOften = !this.#ofVms.take(`${tool.id} ${vm.id}`) || !this.#ofProjects.take(keyOf(run));
    const failed = (error: unknown) => log.error("a hook could not be run", { hook: tool.name, error });
    if (isOften || !queue.add(project.id, () => this.#run(run).catch(failed))) this.#hold(run);
  }

  /** Leaves a run out, and says so once a minute. */
  #hold(run: HookRun): void {
    const now = this.world.clock.monotonic(), before = this.#told.get(keyOf(run));
    if (before !== undefined && now - before < TOLD_MS) return;
    this.#told.set(keyOf(run), now);
    this.#tell(
      run,
      "hook-held",
      "event",
      message`The hook ${run.tool.name} comes too often: runs are left out`,
    );
  }

  async #run(run: HookRun): Promise<void> {
    const { tool } = run;
    if (this.#stop.signal.aborted) return;
    try {
      const said = await (tool.program === undefined ? this.#post(run) : this.#start(run, tool.program));
      this.#tell(run, "hook-run", "event", message`The hook ${tool.name} has run${said}`);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const reason = error instanceof ContractError ? error.sentence : oneLine(messageOf(error), MOST_SAID);
      this.#tell(run, "hook-failed", "error", message`The hook ${tool.name} failed: ${reason}`);
    }
  }

  #bodyOf({ tool, event, project, vm }: HookRun): string {
    const at = new Date(this.world.clock.now()).toISOString();
    return JSON.stringify({ version: 1, id: crypto.randomUUID(), hook: tool.name, event, at, project, vm });
  }

  async #post(run: HookRun): Promise<string> {
    const { url, secret, privateAddresses, unread } = run.tool;
    if (unread !== undefined) {
      throw new Error("its secrets cannot be read: kvm-manager credential list says why");
    }
    if (url === undefined) throw new Error("it has no address and no program");
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(WEBHOOK_MS)]);
    try {
      await post({
        url,
        privateAddresses,
        signal,
        body: new TextEncoder().encode(this.#bodyOf(run)),
        headers: {
          "content-type": "application/json; charset=utf-8",
          ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
        },
        ...(this.world.resolve && { resolve: this.world.resolve }),
      });
      return "";
    } catch (error) {
      throw deliveryFailure(error, signal);
    }
  }

  async #start(run: HookRun, program: string): Promise<string> {
    const path = await allowedProgram(program, this.world.programs);
    if (!await allWithin(run.ref.permissions, [path], this.world.resolved)) {
      throw new Error("its program is outside of allowed_directories");
    }
    const { code, said } = await runHookProgram({
      path,
      args: run.tool.arguments,
      input: this.#bodyOf(run),
      signal: this.#stop.signal,
    });
    const told = said.trim() === "" ? "" : `: ${oneLine(said.trim(), MOST_SAID)}`;
    if (code !== 0) throw new Error(`the program ended with status ${code}${told}`);
    return told;
  }

  #tell({ vm }: HookRun, action: string, result: ActivityEntry["result"], text: Sentence): void {
    this.world.record({
      actor: "kvm-manager",
      door: "agent",
      action,
      result,
      message: text,
      vmId: vm.id,
      vmName: vm.name,
    });
  }

  /** Ends what runs; nothing is run any more. */
  stop(): void {
    this.#stop.abort(new Error("KVM Manager stops"));
  }
}
