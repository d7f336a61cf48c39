/** The page that moves several VMs to another host. */
export const move = {
  "move.title.one": "Move {n} VM to another host",
  "move.title.other": "Move {n} VMs to another host",
  "move.what":
    "A few move at once, the others wait in order; each is a task that can be cancelled. VMs that cannot move stay.",
  "move.none": "No other host is linked",
  "move.none_what":
    "VMs move to hosts that have a KVM Manager of their own and are linked: see Settings → Hosts.",
  "move.to": "Move them to",
  "move.away": "not reachable",
  "move.maintenance": "in maintenance",
  "move.to_host": "To {host}",
  "move.vm": "VM",
  "move.notes": "Check",
  "move.possible": "It can move",
  "move.break_rules": "Go against rules of placement",
  "move.cancel": "Cancel",
  "move.look": "Check",
  "move.do": "Move",
} as const;
