/** Moving a disk to another storage pool: the form, and the moves that are under way. */
import type { DeviceFormFrame } from "../../../lib/client/use_device_forms.ts";
import type { DeviceOptions, Job, VmDisk } from "../../../lib/contract/mod.ts";
import { jobHref } from "../../../lib/text/job_href.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { moveHindrance } from "../../../lib/vm/disk_move.ts";
import { disks as texts } from "../../../lib/i18n/en/disks.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { diskTexts } from "../../../lib/text/disk_texts.ts";
import { ContractField } from "../../kit/ContractField.tsx";
import { Flash } from "../../kit/Flash.tsx";
import { Icon } from "../../kit/Icon.tsx";
import { MOVE_DISK } from "./disk_fields.const.ts";
import { DeviceForm, type ErrorOf, LoadingOptions } from "./DeviceForm.tsx";

const { t } = textsOf(texts);

/** The pools a disk can go to, the one with the most room first. */
const poolsFor = ({ pools }: DeviceOptions, { pool }: VmDisk) =>
  pools.filter(({ name }) => name !== pool).sort((a, b) => b.availableBytes - a.availableBytes);

/** Fields for a disk's target, the way to move it, and the old volume. */
function MoveFields({ disk, options, running, errorOf }: {
  disk: VmDisk;
  options: DeviceOptions;
  running: boolean;
  errorOf: ErrorOf;
}) {
  const pools = poolsFor(options, disk);
  const { mayDeleteVolumes } = options, form = { of: MOVE_DISK, texts: diskTexts, errorOf };
  if (pools.length === 0) return <Flash tone="info">{t("devices.move_no_pool")}</Flash>;
  return (
    <>
      <p>{t(running ? "devices.move_running" : "devices.move_stopped")}</p>
      <div class="device-grid">
        <ContractField
          form={form}
          field="pool"
          hint={t("devices.move_from", { pool: oneLine(disk.pool ?? "", 40) })}
          value={pools[0]?.name}
          choices={pools.map(({ name, availableBytes }) => ({
            value: name,
            label: t("devices.pool_choice", { pool: oneLine(name, 40), free: formatBytes(availableBytes) }),
          }))}
        />
        <ContractField
          form={form}
          field="format"
          none={t("devices.move_format", { format: oneLine(disk.format ?? "", 20) })}
        />
        <ContractField
          form={form}
          field="keepSource"
          hint={t(mayDeleteVolumes ? "devices.keep_source_hint" : "devices.keep_source_forced")}
          value={!mayDeleteVolumes}
          disabled={!mayDeleteVolumes}
        />
        {/* A box that is disabled is not sent. */}
        {!mayDeleteVolumes && <input type="hidden" name="keepSource" value="yes" />}
      </div>
    </>
  );
}

/** Props of {@link MoveDiskForm}. */
export interface MoveDiskFormProps {
  disk: VmDisk;
  title: string;
  /** Null while it is asked for. */
  options: DeviceOptions | null;
  running: boolean;
  frame: DeviceFormFrame;
}

/** Moves a disk to another storage pool. */
export function MoveDiskForm({ disk, title, options, running, frame }: MoveDiskFormProps) {
  const hindrance = moveHindrance(disk);
  const isPossible = hindrance === undefined && options !== null && poolsFor(options, disk).length > 0;
  return (
    <DeviceForm
      frame={frame}
      does="move_disk"
      about={{ target: disk.target }}
      to="/{task}"
      title={title}
      submit={t("devices.move_do")}
      working={t("devices.moving")}
      disabled={!isPossible}
    >
      {(errorOf) =>
        hindrance !== undefined
          ? <Flash tone="info">{t(hindrance)}</Flash>
          : options === null
          ? <LoadingOptions />
          : <MoveFields {...{ disk, options, running, errorOf }} />}
    </DeviceForm>
  );
}

/** The moves of a VM's disks that are under way, each with how far it is and the way to its task. */
export function DiskMoves({ moves }: { moves: readonly Job[] }) {
  if (moves.length === 0) return null;
  return (
    <ul class="device-moves" aria-label={t("devices.moves")}>
      {moves.map(({ id, title, progress }) => {
        const name = oneLine(title, 160);
        return (
          <li key={id} data-move={id}>
            <p>
              <Icon name="loader" class="spin" />
              <bdi>{name}</bdi>
              {progress !== null && (
                <small>{t("devices.move_percent", { percent: Math.floor(progress * 100) })}</small>
              )}
              <a href={jobHref(id)} aria-label={t("devices.move_task_of", { title: name })}>
                {t("devices.move_task")}
              </a>
            </p>
          </li>
        );
      })}
    </ul>
  );
}
