/** Hosts that one can be chosen from. */
export const hostChoices = {
  "host_choices.load": "{free} of {total} of memory free, {vms} VMs",
  "host_choices.vms": "{vms} VMs",
  "host_choices.away": "Not reachable",
} as const;
