/** Snapshots of the demo's VMs. */

export interface DemoSnapshot {
  /** Name of the VM. */
  readonly vm: string;
  readonly name: string;
  readonly description: string;
  readonly daysAgo: number;
  readonly parent?: string;
  /** Whether the memory is part of it. */
  readonly memory: boolean;
  /** Whether the VM goes on from it. */
  readonly isCurrent?: boolean;
}

export const DEMO_SNAPSHOTS: readonly DemoSnapshot[] = [
  {
    vm: "staging-web",
    name: "fresh-install",
    description: "Debian 12, updated, nothing else",
    daysAgo: 29,
    memory: false,
  },
  {
    vm: "staging-web",
    name: "release-4.2",
    description: "As it went live",
    daysAgo: 16,
    parent: "fresh-install",
    memory: true,
  },
  {
    vm: "staging-web",
    name: "before-payment-test",
    description: "Orders and customers made up",
    daysAgo: 2,
    parent: "release-4.2",
    memory: true,
    isCurrent: true,
  },
  {
    vm: "git-01",
    name: "before-forgejo-12",
    description: "Go back to it if the migration of the database fails",
    daysAgo: 5,
    memory: false,
    isCurrent: true,
  },
  {
    vm: "wiki",
    name: "before-upgrade",
    description: "Before the upgrade to Ubuntu 24.04",
    daysAgo: 33,
    memory: false,
    isCurrent: true,
  },
];
