/** Advice for errors whose text gives none. Every page can show one: kept short. */
export const advice = {
  "advice.gone": "It was deleted meanwhile, perhaps by somebody else. Go back to the list.",
  "advice.stale": "Its state changed meanwhile. The page shows the new one; try again if it is still needed.",
  "advice.force": "If the guest does not react, force it off.",
  "advice.start": "Check the VM's disks, networks and memory; the reason names what is missing.",
  "advice.role": "Ask an administrator for the permission to do this.",
  "advice.unreachable": "Check that KVM Manager is running and that the network is up, then try again.",
  "advice.reload": "It may have been removed meanwhile. Load the page again and choose another.",
  "advice.name": "Choose another name.",
  "advice.uuid": "Import it with a new UUID.",
  "advice.undone": "All changes were rolled back. Fix the cause shown, then retry.",
  "advice.space": "Choose a smaller size or another storage pool, or make room in this one.",
  "advice.in_use": "Detach it there first, or use a copy of it.",
  "advice.mac": "Leave the address empty: a free one is chosen.",
  "advice.next_start": "If the VM runs, try it for the next start instead.",
  "advice.disks": "Copy them to these places first, or allow disks to be missing.",
  "advice.host": "Choose something else, or install on the host what the reason names.",
} as const;
