import type { VmState } from "../../../lib/contract/mod.ts";
import type { Grouping } from "../../../lib/vm/list_query.ts";
import { STATES } from "../../../lib/vm/state.ts";
import { oneLine } from "../../../lib/text/text.ts";
import type { VmGroup } from "../../../lib/vm/list.ts";
import { list as listTexts } from "../../../lib/i18n/en/list.ts";
import { number, type PlainKeyOf, t, textsOf } from "../../../lib/i18n/mod.ts";

const texts = textsOf(listTexts);

/** Name of the group of VMs without a value. */
const NONE: Readonly<Record<Grouping, PlainKeyOf<typeof listTexts>>> = {
  none: "group.none",
  state: "group.none",
  tag: "group.no_tag",
  group: "group.no_group",
  project: "group.no_project",
  host: "group.none",
};

/** A group's name and how many are in it. */
export function GroupHead({ group, by }: { group: VmGroup; by: Grouping }) {
  const name = group.key === ""
    ? texts.t(NONE[by])
    : by === "state"
    ? t(STATES[group.key as VmState].word)
    : oneLine(group.key, 80);
  return (
    <span class="group-head">
      <bdi>{name}</bdi>
      <span class="count">{number(group.vms.length)}</span>
    </span>
  );
}
