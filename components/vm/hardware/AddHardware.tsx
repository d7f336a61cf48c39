import type { Addable } from "../../../lib/vm/add_hardware.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import { ActionLink } from "../../kit/ActionLink.tsx";
import { Icon } from "../../kit/Icon.tsx";
import type { IconName } from "../../kit/icons.ts";
import { RestartMark } from "./HardwareField.tsx";

const { t } = textsOf(hardware);
type Key = PlainKeyOf<typeof hardware>;

const KINDS: Readonly<Record<Addable["kind"], { icon: IconName; title: Key; what: Key }>> = {
  disk: { icon: "disk", title: "hardware.add_disk", what: "hardware.add_disk_what" },
  cdrom: { icon: "disc", title: "hardware.add_cdrom", what: "hardware.add_cdrom_what" },
  nic: { icon: "network", title: "hardware.add_nic", what: "hardware.add_nic_what" },
  share: { icon: "folder", title: "hardware.add_share", what: "hardware.add_share_what" },
  tpm: { icon: "lock", title: "hardware.field.tpm", what: "hardware.add_tpm_what" },
  video: { icon: "monitor", title: "hardware.field.video", what: "hardware.add_video_what" },
  sound: { icon: "bell", title: "hardware.field.sound", what: "hardware.add_sound_what" },
  watchdog: { icon: "eye", title: "hardware.field.watchdog", what: "hardware.add_watchdog_what" },
  rng: { icon: "activity", title: "hardware.add_rng", what: "hardware.add_rng_what" },
};

const REFUSED: Readonly<Record<NonNullable<Addable["refused"]>, Key>> = {
  present: "hardware.add_present",
  swtpm: "hardware.needs_swtpm",
  not_here: "hardware.not_here",
  virtiofsd: "hardware.needs_virtiofsd",
  administrators: "hardware.administrators",
};

/** Address that adds a device, without script too: its own form, or the part of this page that has its field. */
function hrefOf(vmId: string, { kind, field }: Addable): string {
  const vm = `/vms/${encodeURIComponent(vmId)}`;
  if (field !== undefined) return `${vm}/hardware#hardware-${field.section}`;
  if (kind === "share") return `${vm}/disks?do=share`;
  return kind === "nic" ? `${vm}/network?do=add` : `${vm}/disks?do=add&device=${kind}`;
}

/** Props of {@link AddHardware}. */
export interface AddHardwareProps {
  vmId: string;
  addable: readonly Addable[];
  isOn: boolean;
  onChoose: (chosen: Addable) => void;
}

/** Everything that can be added to a VM; what cannot says why. */
export function AddHardware({ vmId, addable, isOn, onChoose }: AddHardwareProps) {
  return (
    <ul class="add-hardware">
      {addable.map((each) => {
        const { icon, title, what } = KINDS[each.kind];
        const { refused } = each;
        return (
          <li key={each.kind}>
            <Icon name={icon} />
            <div>
              <ActionLink
                class="add-hardware-name"
                href={hrefOf(vmId, each)}
                enabled={refused === undefined}
                onAct={() => onChoose(each)}
              >
                {t(title)}
              </ActionLink>
              <small>{t(what)}</small>
            </div>
            {refused !== undefined
              ? <span class="text-muted">{t(REFUSED[refused])}</span>
              : isOn && each.needsRestart && <RestartMark />}
          </li>
        );
      })}
    </ul>
  );
}
