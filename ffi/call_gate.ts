/**
 * Gate for all calls to one libvirt: those of the pool, opens of streams, transfers. An object that does not answer is
 * not asked again. A call that hangs keeps its place, and no other call about its object is made, until it *returns*: a
 * time limit ends only the waiting, while libvirtd goes on with the call, with a worker and perhaps a lock that others
 * wait for.
 *
 * libvirtd has 20 workers (`max_workers`). Calls that run or hang take at most 14 of them, two of these for `rescue`.
 */
import { CALL_KINDS, type CallKind, type CallName, CALLS } from "./calls/mod.ts";
import { type CallKey, wholeOf } from "./calls/keys.ts";
import { LibvirtError } from "./error.ts";
import type { Gate, GatedWork, Pass } from "./gate.ts";
import { isAtLeast, type LibvirtSymbol, type Wait, WAITS } from "./waits.ts";

/** A call that is about to go to libvirt. */
export interface GatedCall {
  /** Of the call, to tell it from others. */
  readonly name: string;
  readonly kind: CallKind;
  /** The function of libvirt that can wait the longest. */
  readonly slowest: LibvirtSymbol;
  readonly keys: readonly CallKey[];
}

/** An object that does not respond. */
export interface HangingObject {
  readonly key: CallKey;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Function of libvirt that does not return, or another sign that the object does not respond. */
  readonly call: string;
  /** Whether libvirt holds a lock meanwhile, so that nothing about the object is answered at all. */
  readonly isLocked: boolean;
}

/** Whether a call may be made. */
export type CallAdmission = "go" | "wait" | LibvirtError;

/** Calls that run or hang at the same time: of all kinds, and without `rescue`. */
const MOST = { all: 14, others: 12 } as const;
/** … of kinds that take long in good health: the rest is left to those that are quick. */
const MOST_SLOW = 9;
/** Calls that hang from which on others are made two at a time only. */
const MANY_HANG = 8;
const MOST_BESIDE_MANY = 2;
const SLOW: ReadonlySet<CallKind> = new Set(["write", "long", "slow", "copy", "migrate", "guest", "freeze"]);
/** Kinds that change an object. */
const CHANGES: ReadonlySet<CallKind> = new Set(["write", "rescue", "slow", "long"]);
/** Kinds that may take long with the object answering others meanwhile. */
const PATIENT: ReadonlySet<CallKind> = new Set(["long", "slow", "scan", "copy", "migrate", "transfer"]);
/** Milliseconds that what is no call of the pool waits for its turn. */
const ENTER_MS = 10_000;
/** Milliseconds after which a call takes long: others about the object wait here for it, not in libvirtd. */
const SLOW_MS = 1000;

const WORK: Readonly<Record<GatedWork, { slowest: LibvirtSymbol; kind: CallKind; key: "vm" | "pool" }>> = {
  consoleOpen: { slowest: "virDomainOpenConsole", kind: "stream", key: "vm" },
  channelOpen: { slowest: "virDomainOpenChannel", kind: "stream", key: "vm" },
  streamAbort: { slowest: "virStreamAbort", kind: "stream", key: "vm" },
  transfer: { slowest: "virStorageVolUpload", kind: "transfer", key: "pool" },
};

/** Whether a call that hangs so keeps another one about the same object from being answered. Pure. */
function isBlocked(hangs: Wait, asks: Wait): boolean {
  if (asks === "none") return false;
  // QEMU's agent is reached through QEMU; the lock of the VM is free.
  if (hangs === "job") return isAtLeast(asks, "agent");
  if (hangs === "agent" || hangs === "host") return asks === hangs;
  return true;
}

/** Kinds of which every object is waited for: in a list, and where a network is looked up by its name. Pure. */
function passedBy(wait: Wait, keys: readonly CallKey[]): readonly CallKey[] {
  if (isAtLeast(wait, "list")) return keys;
  // virNetworkObjListFindByName() takes the lock of each network that it passes; pools have an index of names.
  return wait === "net" ? ["networks"] : [];
}

/** Waits during which the object's lock is not free. */
const isLock = (wait: Wait) => wait !== "none" && wait !== "host" && wait !== "agent" && wait !== "job";

/** Why an object is taken for one that does not respond, though no call hangs. */
export interface Suspicion {
  readonly call: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Whether its statistics may be asked all the same, to find out that it responds again. */
  readonly mayBeAsked: boolean;
}

class Member implements Pass {
  readonly since = Date.now();
  readonly #began = performance.now();
  isOverdue = false;
  isOver = false;
  wait: Wait;
  /** The one call that finds out whether the lock is free in truth: a call that hangs may wait for QEMU's monitor. */
  lockProbe: Member | undefined;

  constructor(
    readonly asked: GatedCall,
    private readonly gate: {
      tookTooLong(member: Member): void;
      cameBack(member: Member, answered: boolean): void;
    },
  ) {
    this.wait = WAITS[asked.slowest];
  }

  get ms(): number {
    return performance.now() - this.#began;
  }

  overdue(): void {
    if (this.isOver || this.isOverdue) return;
    this.isOverdue = true;
    this.gate.tookTooLong(this);
  }

  returned(answered: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    this.gate.cameBack(this, answered);
  }
}

/** A call with its arguments as {@link GatedCall}. */
export function askedOf(name: CallName, args: unknown): GatedCall {
  const { kind, slowest, about } = CALLS[name];
  // The name and the type of the arguments were matched by WorkerPool.call.
  return { name, kind, slowest, keys: (about as (args: unknown) => readonly CallKey[])(args) };
}

export class CallGate implements Gate {
  readonly #members = new Set<Member>();
  readonly #byKey = new Map<CallKey, Set<Member>>();
  /** Objects of which a call has returned late: one call finds out whether they respond again. */
  readonly #halfOpen = new Map<CallKey, Member | undefined>();
  /** Objects that are known not to respond without a call that hangs. */
  readonly #suspects = new Map<CallKey, Suspicion>();
  /** When libvirt last answered anything, by `performance.now()`. */
  answeredAt = -Infinity;
  readonly #listeners = new Set<() => void>();
  readonly #freed = new Set<() => void>();

  /** Whether a call may be made now; `wait`: soon, when {@link onFreed} tells. */
  admits(asked: GatedCall): CallAdmission {
    const hang = this.#hangFor(asked);
    if (hang !== undefined) return refusal(hang);
    if (this.#mustWait(asked)) return "wait";
    return this.#budget(asked);
  }

  /** Counts a call that is made now. */
  begin(asked: GatedCall): Pass {
    const member = new Member(asked, {
      tookTooLong: (member) => this.#tookTooLong(member),
      cameBack: (member, answered) => this.#cameBack(member, answered),
    });
    this.#members.add(member);
    for (const key of asked.keys) {
      let members = this.#byKey.get(key);
      if (members === undefined) this.#byKey.set(key, members = new Set());
      if (member.wait === "mutex") {
        for (const other of members) {
          if (other.isOverdue && other.wait === "file") other.lockProbe ??= member;
        }
      }
      members.add(member);
      if (!this.#halfOpen.has(key) || asked.kind === "rescue") continue;
      this.#halfOpen.set(key, member);
      if (PATIENT.has(asked.kind)) setTimeout(() => this.#free(), SLOW_MS + 1);
    }
    return member;
  }

  async enter(work: GatedWork, subject: string | undefined): Promise<Pass> {
    const { slowest, kind, key } = WORK[work];
    const asked: GatedCall = {
      name: work,
      kind,
      slowest,
      keys: subject === undefined ? ["pools"] : [`${key}:${subject}`],
    };
    const end = performance.now() + ENTER_MS;
    for (;;) {
      const verdict = this.admits(asked);
      if (verdict === "go") return this.begin(asked);
      if (verdict !== "wait") throw verdict;
      const left = end - performance.now();
      if (left <= 0) {
        const message = `no turn within ${ENTER_MS / 1000} seconds`;
        throw new LibvirtError({ kind: "timeout", message });
      }
      await this.#freedWithin(left);
    }
  }

  /** Waits until something has returned, but no longer than that. */
  async #freedWithin(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = this.onFreed(resolve), limit = setTimeout(resolve, ms);
    await promise;
    clearTimeout(limit);
    leave();
  }

  /** How many calls hang. */
  get hanging(): number {
    return this.#count(({ isOverdue }) => isOverdue);
  }

  /** The same of one kind. */
  hangingOf(kind: CallKind): number {
    return this.#count(({ asked, isOverdue }) => isOverdue && asked.kind === kind);
  }

  /** Objects that do not respond, longest first; of each object the most telling call. */
  hangs(): HangingObject[] {
    const found = new Map<CallKey, HangingObject>();
    for (const { asked, isOverdue, since, wait } of this.#members) {
      if (!isOverdue) continue;
      for (const key of asked.keys) {
        const known = found.get(key), isLocked = isLock(wait);
        if (known !== undefined && (known.isLocked || !isLocked)) continue;
        found.set(key, { key, since: Math.min(since, known?.since ?? since), call: asked.slowest, isLocked });
      }
    }
    for (const [key, { since, call }] of this.#suspects) {
      const known = found.get(key);
      if (known === undefined) found.set(key, { key, since, call, isLocked: false });
      else if (since < known.since) found.set(key, { ...known, since });
    }
    return [...found.values()].sort((a, b) => a.since - b.since);
  }

  /** Why an object does not respond; undefined where it does, as far as is known. */
  hangOf(key: CallKey): HangingObject | undefined {
    return this.hangs().find((hang) => hang.key === key);
  }

  /** Whether an object has a lock that does not come free: nothing about it may be asked. */
  isLocked(key: CallKey): boolean {
    return [...this.#byKey.get(key) ?? []].some(({ isOverdue, wait }) => isOverdue && isLock(wait));
  }

  /** Whether a call that may hold the lock of an object has been under way for longer than a moment. */
  isSlow(key: CallKey): boolean {
    for (const { asked, isOverdue, wait, ms } of this.#byKey.get(key) ?? []) {
      if (isLock(wait) && (isOverdue || ms > SLOW_MS && !PATIENT.has(asked.kind))) return true;
    }
    return false;
  }

  /** The same of any object of a kind. */
  anySlow(whole: CallKey): boolean {
    return [...this.#byKey.keys()].some((key) => wholeOf(key) === whole && this.isSlow(key));
  }

  /** Whether a call of ours that may hold the lock of an object, or its job, is under way. */
  isChanging(key: CallKey): boolean {
    return [...this.#byKey.get(key) ?? []].some(({ asked: { kind } }) => CHANGES.has(kind));
  }

  /** Takes an object for one that does not respond, though no call hangs; `undefined`: it responds again. */
  suspect(key: CallKey, why: Omit<Suspicion, "since"> | undefined): void {
    const known = this.#suspects.get(key);
    if (known?.call === why?.call) return;
    if (why === undefined) this.#suspects.delete(key);
    else this.#suspects.set(key, { ...why, since: known?.since ?? Date.now() });
    this.#tell();
  }

  /** The object for whose suspicion alone a call would be refused, though it may be asked whether it holds still. */
  doubtFor({ kind, slowest, keys }: GatedCall): CallKey | undefined {
    if (kind === "rescue" || kind === "stats" || !isBlocked("job", WAITS[slowest])) return undefined;
    return keys.find((key) => this.#suspects.get(key)?.mayBeAsked && !this.#anyHangs(key));
  }

  /** Reason to suspect an object; undefined if there is none. */
  suspicion(key: CallKey): Suspicion | undefined {
    return this.#suspects.get(key);
  }

  /** Tells when what does not respond has changed, until what it gives is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells when a call that had to wait may be admitted. */
  onFreed(listener: () => void): () => void {
    this.#freed.add(listener);
    return () => this.#freed.delete(listener);
  }

  #hangFor({ name, kind, slowest, keys }: GatedCall): HangingObject | undefined {
    const wait = WAITS[slowest];
    for (const key of keys) {
      // It waits for nothing but a worker of libvirtd
      if (kind === "canary" && this.#anyHangs(key)) return this.hangOf(key);
      const members = this.#byKey.get(key);
      if (kind === "rescue") {
        // The way out is tried once, whatever else hangs.
        for (const member of members ?? []) {
          if (member.isOverdue && member.asked.name === name) return hangOf(key, member);
        }
        continue;
      }
      for (const member of members ?? []) {
        if (!member.isOverdue || !isBlocked(member.wait, wait)) continue;
        if (wait === "mutex" && member.wait === "file" && member.lockProbe === undefined) continue;
        return hangOf(key, member);
      }
      const suspect = this.#suspects.get(key);
      const isAsking = kind === "stats" && suspect?.mayBeAsked;
      if (suspect !== undefined && !isAsking && isBlocked("job", wait)) {
        return { key, since: suspect.since, call: suspect.call, isLocked: false };
      }
    }
    for (const whole of passedBy(wait, keys)) {
      for (const [key, members] of this.#byKey) {
        if (wholeOf(key) !== whole) continue;
        for (const member of members) if (member.isOverdue && isLock(member.wait)) return hangOf(key, member);
      }
    }
  }

  /** Whether a call finds out just now that an object responds again. One that may take hours has done so after a moment. */
  #isProbed(key: CallKey): boolean {
    const probe = this.#halfOpen.get(key);
    if (probe === undefined) return false;
    if (!PATIENT.has(probe.asked.kind) || probe.ms < SLOW_MS) return true;
    this.#halfOpen.delete(key);
    return false;
  }

  #anyHangs(key: CallKey): boolean {
    return [...this.#byKey.get(key) ?? []].some(({ isOverdue }) => isOverdue);
  }

  #mustWait({ name, kind, slowest, keys }: GatedCall): boolean {
    for (const key of keys) {
      if (kind !== "rescue" && this.#isProbed(key)) return true;
      for (const { asked, isOverdue, wait, ms } of this.#byKey.get(key) ?? []) {
        if (kind === "rescue") {
          if (asked.name === name) return true;
          continue;
        }
        if (isOverdue || ms < SLOW_MS || PATIENT.has(asked.kind)) continue;
        if (isBlocked(wait, WAITS[slowest])) return true;
      }
    }
    return isAtLeast(WAITS[slowest], "list") && keys.some((whole) => this.anySlow(whole));
  }

  #budget({ kind }: GatedCall): CallAdmission {
    const counted = ({ asked, isOverdue }: Member) => asked.kind !== "transfer" || isOverdue;
    const running = this.#count(({ asked, isOverdue }) => asked.kind === kind && !isOverdue);
    const all = this.#count(counted);
    if (kind === "canary") return all < MOST.all && running === 0 ? "go" : "wait";
    if (kind === "rescue") return all < MOST.all && running < CALL_KINDS.rescue.most ? "go" : "wait";
    const hanging = this.hanging;
    const others = this.#count((member) => counted(member) && member.asked.kind !== "rescue");
    if (hanging >= MOST.others) return busy(hanging);
    if (others >= MOST.others) return "wait";
    const runningOthers = this.#count(({ asked, isOverdue }) => asked.kind !== "rescue" && !isOverdue);
    if (hanging >= MANY_HANG && runningOthers >= MOST_BESIDE_MANY) return "wait";
    if (SLOW.has(kind) && this.#count(({ asked }) => SLOW.has(asked.kind)) >= MOST_SLOW) return "wait";
    // Where as many hang as may run, the others of the kind are made one at a time.
    const ofKind = this.#count(({ asked }) => asked.kind === kind);
    return ofKind < CALL_KINDS[kind].most || running === 0 ? "go" : "wait";
  }

  #count(fits: (member: Member) => boolean): number {
    let count = 0;
    for (const member of this.#members) if (fits(member)) count++;
    return count;
  }

  #tookTooLong(member: Member): void {
    for (const key of member.asked.keys) if (this.#halfOpen.get(key) === member) this.#halfOpen.delete(key);
    this.#tell();
    this.#free();
  }

  #cameBack(member: Member, answered: boolean): void {
    if (answered) this.answeredAt = performance.now();
    this.#members.delete(member);
    let isChanged = member.isOverdue;
    for (const key of member.asked.keys) {
      const members = this.#byKey.get(key);
      members?.delete(member);
      for (const other of members ?? []) {
        if (other.lockProbe !== member) continue;
        if (answered && !member.isOverdue) {
          other.wait = "job";
          isChanged = true;
        } else other.lockProbe = undefined;
      }
      if (members?.size === 0) this.#byKey.delete(key);
      if (member.isOverdue) {
        if (!this.#anyHangs(key)) this.#halfOpen.set(key, undefined);
      } else if (this.#halfOpen.get(key) === member) {
        if (answered) this.#halfOpen.delete(key);
        else this.#halfOpen.set(key, undefined);
      }
    }
    if (isChanged) this.#tell();
    this.#free();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #free(): void {
    for (const listener of this.#freed) listener();
  }
}

const hangOf = (key: CallKey, { since, asked, wait }: Member): HangingObject => ({
  key,
  since,
  call: asked.slowest,
  isLocked: isLock(wait),
});

function refusal(hang: HangingObject): LibvirtError {
  const message = `${hang.key} has not responded since ${new Date(hang.since).toISOString()} (${hang.call})`;
  return new LibvirtError({ kind: "silent", message, hang });
}

const busy = (hanging: number) =>
  new LibvirtError({ kind: "busy", message: `${hanging} calls to libvirt do not return` });
