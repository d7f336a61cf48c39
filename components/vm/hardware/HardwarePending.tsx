import type { Area, PendingChange } from "../../../lib/contract/mod.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import { Panel } from "../../kit/Panel.tsx";

const { t } = textsOf(hardware);
type Key = PlainKeyOf<typeof hardware>;

const AREAS: Readonly<Record<Area, Key>> = {
  cpu: "hardware.area.cpu",
  memory: "hardware.area.memory",
  boot: "hardware.area.boot",
  firmware: "hardware.area.firmware",
  disks: "hardware.area.disks",
  network: "hardware.area.network",
  devices: "hardware.area.devices",
  general: "hardware.area.general",
};

/** Field of a change → its name on the page; others have libvirt's words. */
const NAMES: Readonly<Record<string, Key>> = {
  "cpu.count": "hardware.field.count",
  "cpu.max": "hardware.field.max",
  "cpu.mode": "hardware.field.mode",
  "cpu.model": "hardware.field.model",
  "cpu.topology": "hardware.field.topology",
  "cpu.features": "hardware.field.features",
  "cpu.pinning": "hardware.field.pinning",
  "memory.currentMb": "hardware.field.current_mb",
  "memory.maxMb": "hardware.field.max_mb",
  "boot.devices": "hardware.field.kinds",
  "boot.order": "hardware.field.order",
  "boot.menu": "hardware.field.boot_menu",
  "firmware": "hardware.field.firmware",
  "title": "hardware.field.title",
  "description": "hardware.field.description",
  "tpm 0": "hardware.field.tpm",
  "video 0": "hardware.field.video",
  "sound 0": "hardware.field.sound",
  "watchdog 0": "hardware.field.watchdog",
  "rng 0": "hardware.field.rng_short",
};

/** Props of {@link HardwarePending}. */
export interface HardwarePendingProps {
  vmId: string;
  pending: readonly PendingChange[];
  enabled: boolean;
  /** Takes an area back, or all of them; a plain form without script. */
  onDiscard: (area: Area | undefined) => void;
}

function Value({ text }: { text: string | null }) {
  return text === null
    ? <span class="text-muted">{t("hardware.nothing")}</span>
    : <bdi>{oneLine(text, 200)}</bdi>;
}

/** Changes for the next boot, and the button to discard them. */
export function HardwarePending({ vmId, pending, enabled, onDiscard }: HardwarePendingProps) {
  if (pending.length === 0) return null;
  const areas = (Object.keys(AREAS) as Area[]).filter((area) => pending.some((each) => each.area === area));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const value = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "";
    onDiscard(areas.find((area) => area === value));
  };
  return (
    <form
      class="pending-form"
      method="post"
      action={`/vms/${encodeURIComponent(vmId)}/hardware?form=pending`}
      onSubmit={submit}
    >
      <Panel
        title={t("hardware.pending")}
        aside={
          <button type="submit" class="button" name="area" value="" disabled={!enabled}>
            {t("hardware.discard_all")}
          </button>
        }
      >
        <p class="text-muted pad">{t("hardware.pending_what")}</p>
        <div class="scroll-x" tabIndex={0} role="group" aria-label={t("hardware.pending")}>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{t("hardware.pending_change")}</th>
                <th scope="col">{t("hardware.pending_live")}</th>
                <th scope="col">{t("hardware.pending_next")}</th>
              </tr>
            </thead>
            {areas.map((area) => (
              <tbody key={area}>
                <tr class="area">
                  <th scope="rowgroup" colSpan={2}>{t(AREAS[area])}</th>
                  <td class="num">
                    {areas.length > 1 && (
                      <button
                        type="submit"
                        class="button ghost"
                        name="area"
                        value={area}
                        disabled={!enabled}
                        aria-label={t("hardware.discard_area", { area: t(AREAS[area]) })}
                      >
                        {t("hardware.discard")}
                      </button>
                    )}
                  </td>
                </tr>
                {pending.filter((each) => each.area === area).map(({ what, live, next }) => (
                  <tr key={what}>
                    <th scope="row">{NAMES[what] ? t(NAMES[what]!) : <bdi>{oneLine(what, 80)}</bdi>}</th>
                    <td>
                      <Value text={live} />
                    </td>
                    <td>
                      <Value text={next} />
                    </td>
                  </tr>
                ))}
              </tbody>
            ))}
          </table>
        </div>
      </Panel>
    </form>
  );
}
