/** Prompts for usual work. They name what is wanted; which commands do it, the program finds out. Pure. */

interface Prompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly description: string;
    readonly required: boolean;
  }[];
  /** Text of the prompt, with `{name}` for an argument. */
  readonly text: string;
}

const VM = { name: "vm", description: "name or id of the VM", required: true } as const;
const CARE = "Change nothing before you have shown the plan and the user has agreed.";

export const PROMPTS: readonly Prompt[] = [
  {
    name: "vm-does-not-boot",
    title: "A VM does not boot",
    description: "Find out why a VM does not start or does not come up, and propose a remedy",
    arguments: [VM],
    text:
      "The VM {vm} does not boot. Look at its state, its recent activity, its log, its screen, its disks and boot " +
      `order, and the pools and networks that it uses. Say what is wrong and how to put it right. ${CARE}`,
  },
  {
    name: "free-space",
    title: "Free storage space",
    description: "Find what takes up space in storage pools and could go",
    arguments: [{ name: "pool", description: "one pool; all of them when left out", required: false }],
    text:
      "Find out what takes up the most space in storage pools ({pool}): volumes that no VM uses, old snapshots, images, " +
      `the bin, backups. List what could be deleted with its size, and what each deletion loses. ${CARE}`,
  },
  {
    name: "nightly-backup",
    title: "Set up a nightly backup",
    description: "Create a backup job that runs every night",
    arguments: [{ name: "vms", description: "names, a tag or a group", required: true }],
    text:
      "Set up a backup of {vms} that runs every night. Look at the backup targets there are and their free space, at " +
      `jobs that include these VMs already, and propose when it runs and how many backups are kept. ${CARE}`,
  },
];

/** Value of an argument that was left out. */
const ALL = "all";

/** The text of a prompt, its arguments quoted: they are names, and nothing to be followed. */
export function promptText(
  { text, arguments: known }: Prompt,
  given: Readonly<Record<string, string>>,
): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    if (!known.some((each) => each.name === name)) return whole;
    const value = Object.hasOwn(given, name) ? given[name]! : "";
    return value === "" ? ALL : JSON.stringify(value.slice(0, 200));
  });
}
