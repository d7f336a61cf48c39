/** `kvm-manager doctor`: what this host lacks, and the command that mends it. */
import { parseArgs } from "node:util";
import { gatherFacts } from "../agent/system/doctor/gather.ts";
import { libvirtOf } from "../agent/system/doctor/handlers.ts";
import { setLogLevel } from "../agent/log.ts";
import { LibvirtLink } from "../agent/libvirt/link.ts";
import type { Settings } from "../agent/settings.ts";
import { asOwner } from "../agent/store/as_owner.ts";
import { type AreaFinding, examine } from "../lib/system/doctor/checks.ts";
import { HEALTH_LEVELS } from "../lib/contract/health.ts";
import { worst } from "../lib/system/doctor/finding.ts";
import { hostSettings, PLACE_OPTIONS, plainOutput } from "./host_settings.ts";
import { parseOrExit } from "./host_verb.ts";
import { isServing } from "./environment.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { rendered } from "./verb/output.ts";

export const DOCTOR_HELP = () =>
  [
    "Usage: kvm-manager doctor [-o table|json|yaml] [--uri URI] [--listen HOST:PORT] [--data-dir DIR]",
    "                          [--runtime-dir DIR] [--config FILE]",
    "",
    "Examines this host: libvirt, KVM, QEMU, kernel modules, groups, firewall, storage, clock, names, ports, the program's",
    "own state and certificate. Changes nothing. Says what is wrong, and the command that mends it.",
    "Ends with 0 when all is well, 1 with warnings, 2 with problems, 64 for wrong usage.",
  ].join("\n");

/** Wrong usage: sysexits.h; 2 means problems here. */
const WRONG_USAGE = 64;
/** Milliseconds libvirt may take to let us in. */
const CONNECT_MS = 16_000;

const SIGNS = { ok: "ok     ", warning: "WARNING", problem: "PROBLEM" } as const;

function shown({ area, level, what, advice, command }: AreaFinding): string {
  const more = [advice, command === undefined ? undefined : `# ${command}`].filter((line) =>
    line !== undefined
  );
  return [`${SIGNS[level]}  ${area.padEnd(11)}  ${what}`, ...more.map((line) => `${" ".repeat(22)}${line}`)]
    .map(escapeControlCharacters).join("\n");
}

/** A link of our own; closed when disposed of. */
async function connected(settings: Settings): Promise<{ link: LibvirtLink } & AsyncDisposable> {
  const settled = Promise.withResolvers<void>();
  const link = new LibvirtLink(settings.uri, {
    status: () => settled.resolve(),
    connected: () => settled.resolve(),
    events: () => {},
  });
  link.start();
  const timer = setTimeout(settled.resolve, CONNECT_MS);
  await settled.promise;
  clearTimeout(timer);
  return { link, [Symbol.asyncDispose]: () => link.stop() };
}

const FLAGS = { uri: { type: "string" }, listen: { type: "string" }, ...PLACE_OPTIONS } as const;

/** Reads its arguments. @throws {Error} that says what is wrong */
export function readDoctor(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: { output: { type: "string", short: "o" }, ...FLAGS },
  });
  return { format: plainOutput(values.output), settings: hostSettings(FLAGS, values) };
}

/** Runs it; the exit status says the worst that was found. */
export async function doctorCommand(args: readonly string[]): Promise<number> {
  const given = parseOrExit(WRONG_USAGE, "doctor", () => readDoctor(args));
  if (typeof given === "number") return given;
  const { settings, format } = given;
  setLogLevel("error"); // what is found is said below
  const serves = await isServing(settings.runtimeDir);
  await using held = await connected(settings);
  const inDataDir = <T>(run: () => Promise<T>) => asOwner(settings.dataDir, run);
  const findings = examine(await gatherFacts({ settings, libvirt: libvirtOf(held.link), serves, inDataDir }));
  if (format === "table") {
    for (const finding of findings) console.log(shown(finding));
    const counted = (level: typeof HEALTH_LEVELS[number], word: string) => {
      const count = findings.filter((each) => each.level === level).length;
      return `${count} ${word}${count === 1 ? "" : "s"}`;
    };
    console.log(
      `\n${counted("problem", "problem")}, ${counted("warning", "warning")}, ${
        counted("ok", "check")
      } passed.`,
    );
  } else {
    console.log(await rendered(findings, format));
  }
  return HEALTH_LEVELS.indexOf(worst(findings));
}
