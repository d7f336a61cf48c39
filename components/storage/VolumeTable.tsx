import type { StoragePool, StorageVolume } from "../../lib/contract/mod.ts";
import { formatBytes } from "../../lib/format/quantity.ts";
import { oneLine } from "../../lib/format/text.ts";
import { contentHref } from "../../lib/format/volume_page.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { Label, poolHref, UsedBy } from "./PoolParts.tsx";

const { t } = textsOf(texts);

/** What can be done to a volume, and its word. */
export const VOLUME_VERBS = {
  resize: "storage.resize",
  clone: "storage.clone",
  convert: "storage.convert",
  wipe: "storage.wipe",
  delete_volume: "storage.delete",
} as const satisfies Record<string, PlainKeyOf<typeof texts>>;
export type VolumeVerb = keyof typeof VOLUME_VERBS;

/** Whether a volume has content of its own. */
const isDisk = ({ type }: StorageVolume) => type === "file" || type === "block";

/** The verbs that make sense: what a machine uses is changed on the machine's own page. */
function verbsOf(volume: StorageVolume, { fixed, keepsFiles }: StoragePool): VolumeVerb[] {
  const { format, usedBy } = volume;
  if (!isDisk(volume)) return [];
  if (fixed) return ["wipe"];
  const convert: VolumeVerb[] = keepsFiles && (format === "qcow2" || format === "raw") ? ["convert"] : [];
  return usedBy.length > 0 ? ["clone", ...convert] : ["resize", "clone", ...convert, "wipe", "delete_volume"];
}

/** The volumes of a page of a pool. */
export function VolumeTable({ pool, volumes, enabled }: {
  pool: StoragePool;
  volumes: readonly StorageVolume[];
  enabled: boolean;
}) {
  const href = (verb: VolumeVerb, { name }: StorageVolume) =>
    `${poolHref(pool.name)}?do=${verb}&volume=${encodeURIComponent(name)}`;
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("storage.volumes")}>
      <table class="plain-table device-table">
        <thead>
          <tr>
            <th scope="col">{t("storage.name")}</th>
            <th scope="col" class="num">{t("storage.size")}</th>
            <th scope="col" class="num">{t("storage.used")}</th>
            <th scope="col">{t("storage.used_by")}</th>
            <th scope="col">
              <span class="visually-hidden">{t("storage.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {volumes.map((volume) => (
            <tr key={volume.name} data-volume={volume.name}>
              <th scope="row" class="source">
                <bdi class="ellipsis" title={oneLine(volume.path)}>{oneLine(volume.name)}</bdi>
                <small>
                  {oneLine(volume.format ?? volume.type, 20)}
                  {volume.encrypted && <span>· {t("storage.encrypted")}</span>}
                  {volume.backing !== undefined && (
                    <bdi title={oneLine(volume.backing.path)}>
                      {t("storage.backing", { path: oneLine(volume.backing.path) })}
                    </bdi>
                  )}
                </small>
              </th>
              <td class="num">
                <Label text={t("storage.size")} />
                {formatBytes(volume.capacityBytes)}
              </td>
              <td class="num">
                <Label text={t("storage.used")} />
                {formatBytes(volume.allocationBytes)}
              </td>
              <td class={volume.usedBy.length === 0 ? "empty-cell" : undefined}>
                <Label text={t("storage.used_by")} />
                <UsedBy users={volume.usedBy} />
              </td>
              <td class="device-verbs">
                <span>
                  {enabled && isDisk(volume) && (
                    <a
                      class="button ghost"
                      href={contentHref(pool.name, volume.name)}
                      download={oneLine(volume.name, 200)}
                      aria-label={t("storage.verb_of", {
                        verb: t("storage.download"),
                        name: oneLine(volume.name, 60),
                      })}
                    >
                      {t("storage.download")}
                    </a>
                  )}
                  {enabled && verbsOf(volume, pool).map((verb) => (
                    <a
                      key={verb}
                      class={verb === "delete_volume" ? "button ghost danger" : "button ghost"}
                      href={href(verb, volume)}
                      aria-label={t("storage.verb_of", {
                        verb: t(VOLUME_VERBS[verb]),
                        name: oneLine(volume.name, 60),
                      })}
                    >
                      {t(VOLUME_VERBS[verb])}
                    </a>
                  ))}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
