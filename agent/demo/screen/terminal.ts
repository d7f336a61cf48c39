/**
 * A terminal of a demo's guest: the end of its boot, a login prompt, and a few commands. What is typed leads nowhere: there is
 * no system behind it. Pure but for the time.
 */
import { GIB } from "../../../lib/text/byte_units.ts";
import { simulatedLoad } from "../world/load.ts";
import { type DemoSystem, SYSTEMS } from "../world/systems.ts";
import type { DemoVm } from "../world/vms.ts";

/** State of the guest. */
export interface TerminalGuest {
  readonly vm: DemoVm;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Addresses with their prefix. */
  readonly addresses: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Longest line that is taken. */
const MOST_LINE = 200;
const RETURN = "\r",
  LINE_FEED = "\n",
  BACKSPACE = "\x7f",
  BACKSPACE_ALSO = "\b",
  END = "\x04",
  CANCEL = "\x03";

/** Messages of systemd at the end of a boot. */
const BOOT = [
  "Reached target local-fs.target - Local File Systems.",
  "Started systemd-journald.service - Journal Service.",
  "Finished systemd-udev-settle.service - Wait for udev To Complete Device Initialization.",
  "Reached target network-online.target - Network is Online.",
  "Started qemu-guest-agent.service - QEMU Guest Agent.",
  "Started ssh.service - OpenBSD Secure Shell server.",
  "Started cron.service - Regular background program processing daemon.",
  "Reached target multi-user.target - Multi-User System.",
];

const column = (text: string, width: number) => text.padEnd(width);

/** Seconds in words, as `uptime` has them. */
function uptime(seconds: number): string {
  const days = Math.floor(seconds / 86_400), hours = Math.floor(seconds / 3600) % 24;
  const minutes = String(Math.floor(seconds / 60) % 60).padStart(2, "0");
  return `${days > 0 ? `${days} day${days === 1 ? "" : "s"}, ` : ""}${hours}:${minutes}`;
}

type Run = (facts: TerminalGuest, system: DemoSystem) => readonly string[];

/** Commands that the shell knows. */
const COMMANDS: Readonly<Record<string, Run>> = {
  "help": () => [`This is a demo. It knows: ${Object.keys(COMMANDS).join(", ")}, exit`],
  "hostname": ({ vm }) => [vm.name],
  "uname -a": ({ vm }, { kernel }) => [`Linux ${vm.name} ${kernel} #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux`],
  "uptime": ({ vm, startedAt, now }) => {
    const load = simulatedLoad(vm, now() / 1000).cpu * vm.vcpus;
    const clock = new Date(now()).toTimeString().slice(0, 8), up = uptime((now() - startedAt) / 1000);
    const loads = [1, 0.93, 0.88].map((part) => (load * part).toFixed(2)).join(", ");
    return [` ${clock} up ${up},  1 user,  load average: ${loads}`];
  },
  "free -h": ({ vm, now }) => {
    const used = simulatedLoad(vm, now() / 1000).memoryUsed / GIB, all = vm.memoryGib;
    const of = (gib: number) => column(`${gib.toFixed(1)}Gi`, 12);
    return [
      `${column("", 8)}${column("total", 12)}${column("used", 12)}${column("free", 12)}`,
      `${column("Mem:", 8)}${of(all)}${of(used)}${of(Math.max(0.1, all - used))}`,
    ];
  },
  "df -h": ({ vm }) => [
    `${column("Filesystem", 16)}${column("Size", 8)}${column("Used", 8)}${column("Use%", 6)}Mounted on`,
    ...vm.disks.map(({ gib, usedGib }, index) =>
      `${column(index === 0 ? "/dev/vda1" : "/dev/vdb1", 16)}${column(`${gib}G`, 8)}${
        column(`${usedGib}G`, 8)
      }${column(`${Math.round(usedGib / gib * 100)}%`, 6)}${index === 0 ? "/" : "/srv"}`
    ),
  ],
  "ip -br a": ({ addresses }) => [
    `${column("lo", 16)}${column("UNKNOWN", 14)}127.0.0.1/8 ::1/128`,
    ...addresses.map((address, index) => `${column(`enp${index + 1}s0`, 16)}${column("UP", 14)}${address}`),
  ],
  "who": () => ["admin    pts/0        (10.10.0.34)"],
  "ls": () => [],
};

export class DemoTerminal {
  readonly #facts: TerminalGuest;
  readonly #system: DemoSystem;
  #line = "";
  #asks: "user" | "password" | "command" = "user";
  #user = "";

  constructor(facts: TerminalGuest) {
    this.#facts = facts;
    this.#system = SYSTEMS[facts.vm.system];
  }

  /** Text on the terminal when a peer connects. */
  greeting(): string {
    const { name } = this.#facts.vm, boot = BOOT.map((line) => `[  OK  ] ${line}`);
    const lines = [...boot, "", `${this.#system.name} ${name} ttyS0`, "(demo: any user and password)", ""];
    return lines.map((line) => `${line}\r\n`).join("") + this.#prompt();
  }

  #prompt(): string {
    const { name } = this.#facts.vm;
    if (this.#asks === "user") return `${name} login: `;
    return this.#asks === "password" ? "Password: " : `${this.#user}@${name}:~$ `;
  }

  /** Takes input. @returns the guest's output */
  type(text: string): string {
    return [...text].map((key) => this.#key(key)).join("");
  }

  #key(key: string): string {
    const isHidden = this.#asks === "password";
    if (key === RETURN || key === LINE_FEED) return `\r\n${this.#enter()}`;
    if (key === CANCEL) {
      this.#line = "";
      return `^C\r\n${this.#prompt()}`;
    }
    if (key === END && this.#asks === "command" && this.#line === "") return this.#leave();
    if (key === BACKSPACE || key === BACKSPACE_ALSO) {
      const had = this.#line !== "";
      this.#line = this.#line.slice(0, -1);
      return had && !isHidden ? "\b \b" : "";
    }
    if (key < " " || this.#line.length >= MOST_LINE) return "";
    this.#line += key;
    return isHidden ? "" : key;
  }

  #leave(): string {
    this.#asks = "user";
    return `logout\r\n\r\n${this.#system.name} ${this.#facts.vm.name} ttyS0\r\n\r\n${this.#prompt()}`;
  }

  #enter(): string {
    const line = this.#line.trim();
    this.#line = "";
    if (this.#asks === "user") {
      // A name is shown again with each prompt: no control characters, and not long
      this.#user = line.replace(/[^\w.-]/g, "").slice(0, 32);
      if (this.#user !== "") this.#asks = "password";
      return this.#prompt();
    }
    if (this.#asks === "password") {
      this.#asks = "command";
      return `Linux ${this.#facts.vm.name} ${this.#system.kernel} x86_64\r\nType help for what this demo knows.\r\n${this.#prompt()}`;
    }
    if (line === "exit" || line === "logout") return this.#leave();
    const answer = line === ""
      ? []
      : COMMANDS[line]?.(this.#facts, this.#system) ?? [`-bash: ${line.split(" ")[0]}: command not found`];
    return answer.map((each) => `${each}\r\n`).join("") + this.#prompt();
  }
}
