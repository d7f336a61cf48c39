import type { ComponentChildren } from "preact";
import { ActionLink } from "../../kit/ActionLink.tsx";
import { Empty } from "../../kit/Empty.tsx";
import type { IconName } from "../../kit/icons.ts";
import { Panel } from "../../kit/Panel.tsx";

/** Props of {@link DevicePanel}. */
export interface DevicePanelProps {
  title: string;
  /** The way to one more: its text, its address without script, what it does with one. */
  add: { label: string; href: string; onAct: () => void };
  enabled: boolean;
  /** Text of an empty list; undefined if there are devices. */
  empty: { icon: IconName; title: string; what: string } | undefined;
  children: ComponentChildren;
}

/** A VM's devices of a kind, and the way to one more. */
export function DevicePanel({ title, add, enabled, empty, children }: DevicePanelProps) {
  return (
    <Panel
      title={title}
      aside={
        <ActionLink class="button primary" href={add.href} enabled={enabled} onAct={add.onAct}>
          {add.label}
        </ActionLink>
      }
    >
      {empty === undefined ? children : (
        <Empty icon={empty.icon} title={empty.title}>
          <p>{empty.what}</p>
        </Empty>
      )}
    </Panel>
  );
}
