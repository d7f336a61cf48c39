/** Judgement of `kvm-manager doctor` on a host before KVM Manager is installed there. */
import { HEALTH_LEVELS } from "../../../lib/contract/health.ts";
import { oneLine } from "../../../lib/text/text.ts";

/** Longest note. */
const LONGEST = 300;
/** Areas without which KVM Manager is of no use there. */
const NEEDED: ReadonlySet<string> = new Set(["libvirt", "ports"]);

interface Finding {
  readonly area: string;
  readonly level: string;
  readonly text: string;
}

/** A text that another host says; `none` for any other value. */
const textOf = (value: unknown, none = "") => typeof value === "string" ? value : none;

/** Another host says it: no more is taken of it than what is shown. */
function findingsIn(all: unknown): Finding[] {
  return (Array.isArray(all) ? all : []).map((each: unknown) => {
    const { area, level, what, advice, command } = (each ?? {}) as Record<string, unknown>;
    const words = [textOf(what, "?") + ".", textOf(advice), textOf(command)].filter((word) => word !== "");
    return { area: textOf(area), level: textOf(level), text: oneLine(words.join(" "), LONGEST) };
  });
}

/**
 * Judges the findings.
 *
 * @param answer of doctor, as JSON has it
 * @param isServing whether KVM Manager runs there already: its port is its own
 * @returns findings that prevent the installation, and warnings
 */
export function judgedFindings(
  answer: unknown,
  isServing: boolean,
): { readonly refused: string | undefined; readonly notes: readonly string[] } {
  const [ok, , problem] = HEALTH_LEVELS;
  const bad = findingsIn(answer).filter(({ level }) => level !== ok);
  const refused = bad.find(({ area, level }) =>
    level === problem && NEEDED.has(area) && !(isServing && area === "ports")
  );
  return { refused: refused?.text, notes: bad.filter((each) => each !== refused).map(({ text }) => text) };
}
