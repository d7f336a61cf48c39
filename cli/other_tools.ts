/** Words of other tools, and what is typed here for them. Pure. */

/** A word of virsh, virt-install, incus or kubectl → the words of a verb. */
const VERBS_FOR: Readonly<Record<string, string>> = {
  "attach-device": "vm set-xml",
  "attach-disk": "vm attach-disk",
  "attach-interface": "vm attach-nic",
  "config": "vm show",
  "describe": "vm show",
  "detach-disk": "vm detach-disk",
  "detach-interface": "vm detach-nic",
  "domblklist": "vm devices",
  "domdisplay": "vm vnc",
  "domifaddr": "guest network",
  "domiflist": "vm devices",
  "dominfo": "vm show",
  "domrename": "vm update",
  "domstate": "vm show",
  "domstats": "vm stats",
  "get": "vm list",
  "launch": "vm create",
  "net-create": "network create",
  "net-define": "network create",
  "net-destroy": "network stop",
  "net-dhcp-leases": "network leases",
  "net-info": "network show",
  "net-list": "network list",
  "net-start": "network start",
  "net-undefine": "network delete",
  "nodeinfo": "host info",
  "pool-create": "pool create",
  "pool-define": "pool create",
  "pool-destroy": "pool stop",
  "pool-info": "pool show",
  "pool-list": "pool list",
  "pool-refresh": "pool refresh",
  "pool-start": "pool start",
  "pool-undefine": "pool delete",
  "setmaxmem": "vm update",
  "setmem": "vm update",
  "setvcpus": "vm update",
  "snapshot-create": "snapshot create",
  "snapshot-create-as": "snapshot create",
  "snapshot-delete": "snapshot delete",
  "snapshot-list": "snapshot list",
  "snapshot-revert": "snapshot revert",
  "ssh": "vm exec",
  "virt-install": "vm create",
  "vncdisplay": "vm vnc",
  "vol-create": "volume create",
  "vol-create-as": "volume create",
  "vol-delete": "volume delete",
  "vol-download": "volume download",
  "vol-list": "volume list",
  "vol-resize": "volume resize",
  "vol-upload": "volume upload",
};

/** The words of another tool, for tests. */
export const OTHER_TOOLS_WORDS: readonly string[] = Object.keys(VERBS_FOR);

/** Verb for a word of another tool; undefined where no such word is known. */
export const verbForOtherTool = (word: string): string | undefined =>
  Object.hasOwn(VERBS_FOR, word) ? VERBS_FOR[word] : undefined;

/** Words for the same: what one noun calls `create` is `add` for another. */
const SAME: readonly (readonly string[])[] = [
  ["create", "add", "new", "make"],
  ["delete", "remove", "revoke", "destroy", "drop"],
  ["show", "get", "describe", "status"],
  ["update", "set", "change", "modify"],
];

/** Other words for what a verb does. */
export const sameVerbs = (verb: string): readonly string[] =>
  SAME.find((words) => words.includes(verb))?.filter((word) => word !== verb) ?? [];
