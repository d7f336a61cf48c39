/** The parts of the bench, in the order in which they run. */
import type { Bench } from "./bench.ts";
import type { Need } from "./needs.ts";

/** A bench on a host with so many machines. */
export interface BenchPart {
  readonly name: keyof typeof BENCHES;
  /** Stopped machines that the host has; none when left out. */
  readonly machines?: number;
  /** Installs or builds what the part needs: the host that it runs on has no network. */
  readonly needs?: readonly Need[];
  /** Seconds after which it is ended, in a full and in a quick run. */
  readonly limit: { readonly full: number; readonly quick: number };
  /** When it runs: in each run, not in a quick one, or only when it is named. */
  readonly when?: "full" | "named";
}

/** Benches by name, each loaded in its part's own process: what one loads must not weigh on the memory of another. */
export const BENCHES = {
  first: async () => (await import("./first.ts")).first,
  memory: async () => (await import("./memory.ts")).memory,
  weights: async () => (await import("./weights.ts")).weights,
  stats: async () => (await import("./stats.ts")).stats,
  metrics: async () => (await import("./metrics.ts")).metrics,
  thousand: async () => (await import("./thousand.ts")).thousand,
  starts: async () => (await import("./starts.ts")).starts,
  pauses: async () => (await import("./starts.ts")).pauses,
  creations: async () => (await import("./creations.ts")).creations,
  events: async () => (await import("./events.ts")).events,
  consoles: async () => (await import("./console.ts")).consoles,
  frames: async () => (await import("./frames.ts")).frames,
  firstFrame: async () => (await import("./first_frame.ts")).firstFrame,
  storage: async () => (await import("./storage.ts")).storage,
  backups: async () => (await import("./backups.ts")).backups,
  drain: async () => (await import("./drain.ts")).drain,
  moves: async () => (await import("./moves.ts")).moves,
  sessions: async () => (await import("./sessions.ts")).sessions,
  mcp: async () => (await import("./mcp.ts")).mcp,
  tui: async () => (await import("./tui.ts")).tui,
  grpc: async () => (await import("./grpc.ts")).grpc,
  shell: async () => (await import("./shell.ts")).shell,
  guests: async () => (await import("./guests.ts")).guests,
  lists: async () => (await import("./lists.ts")).lists,
  listCosts: async () => (await import("./lists.ts")).listCosts,
  scans: async () => (await import("./scans.ts")).scans,
  opening: async () => (await import("./opening.ts")).opening,
  hosts: async () => (await import("./hosts.ts")).hosts,
  year: async () => (await import("./year.ts")).year,
  hundredGuests: async () => (await import("./hundred_guests.ts")).hundredGuests,
} satisfies Record<string, () => Promise<Bench>>;

/** Several times what the parts take on an idle machine of two cores, so that a busy one ends none. */
const SHORT = { full: 240, quick: 90 }, MIDDLE = { full: 600, quick: 120 }, LONG = { full: 1500, quick: 180 };
const HOURS = { full: 7200, quick: 7200 };

export const PARTS: readonly BenchPart[] = [
  { name: "first", limit: SHORT },
  { name: "memory", limit: SHORT },
  { name: "weights", limit: SHORT },
  { name: "stats", needs: ["python"], limit: SHORT },
  { name: "metrics", limit: MIDDLE },
  { name: "thousand", limit: SHORT, when: "full" },
  { name: "starts", needs: ["python"], limit: MIDDLE },
  { name: "pauses", needs: ["python"], limit: SHORT },
  { name: "creations", limit: SHORT },
  { name: "events", needs: ["python"], limit: SHORT },
  { name: "consoles", needs: ["websockify"], limit: SHORT },
  { name: "frames", needs: ["websockify"], limit: SHORT },
  { name: "firstFrame", needs: ["chromium"], limit: SHORT },
  { name: "storage", needs: ["curl"], limit: LONG },
  { name: "backups", needs: ["restic", "borg"], limit: LONG },
  { name: "moves", limit: { full: 900, quick: 240 } },
  { name: "drain", limit: LONG, when: "full" },
  { name: "sessions", limit: SHORT },
  { name: "mcp", limit: SHORT },
  { name: "tui", machines: 100, needs: ["tmux"], limit: SHORT },
  { name: "shell", limit: MIDDLE },
  { name: "guests", needs: ["agentGuest"], limit: MIDDLE },
  { name: "lists", machines: 100, needs: ["python"], limit: SHORT },
  { name: "lists", machines: 1005, needs: ["python"], limit: SHORT },
  { name: "grpc", machines: 1005, needs: ["grpcClient"], limit: SHORT },
  { name: "listCosts", machines: 1005, needs: ["python", "strace"], limit: SHORT, when: "full" },
  { name: "scans", machines: 1005, needs: ["python", "c"], limit: MIDDLE },
  { name: "memory", machines: 1005, limit: SHORT, when: "full" },
  { name: "opening", machines: 1005, needs: ["chromium"], limit: SHORT },
  { name: "hosts", needs: ["chromium"], limit: { full: 1200, quick: 600 }, when: "full" },
  { name: "year", limit: HOURS, when: "named" },
  { name: "hundredGuests", needs: ["agentGuest"], limit: HOURS, when: "named" },
];

/** Id of a part in messages and files: its name, and the number of machines. */
export function idOf({ name, machines }: Pick<BenchPart, "name" | "machines">): string {
  return machines === undefined ? name : `${name}@${machines}`;
}

/** The parts of a run, and those that a quick run leaves out. */
export interface Chosen {
  readonly parts: readonly BenchPart[];
  readonly leftOut: readonly BenchPart[];
}

/** Chooses parts. @param only names or ids; empty: all of this kind of run @throws {Error} for what no part is called */
export function choose(all: readonly BenchPart[], { quick, only }: {
  readonly quick: boolean;
  readonly only: readonly string[];
}): Chosen {
  const unknown = only.filter((each) => !all.some((part) => isCalled(part, each)));
  if (unknown.length > 0) throw new Error(`no part is called ${unknown.join(", ")}`);
  if (only.length > 0) {
    return { parts: all.filter((part) => only.some((each) => isCalled(part, each))), leftOut: [] };
  }
  const usual = all.filter(({ when }) => when !== "named");
  return {
    parts: usual.filter(({ when }) => !quick || when !== "full"),
    leftOut: quick ? usual.filter(({ when }) => when === "full") : [],
  };
}

const isCalled = (part: BenchPart, name: string) => part.name === name || idOf(part) === name;
