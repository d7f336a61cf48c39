/** Hosts that one can be chosen from. */
export const hostChoices = {
  "host_choices.load": "{free} of {total} of memory free, {vms}",
  "host_choices.vms.one": "{n} VM",
  "host_choices.vms.other": "{n} VMs",
  "host_choices.away": "Not reachable",
} as const;
