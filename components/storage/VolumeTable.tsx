import type { StoragePool, StorageVolume } from "../../lib/contract/mod.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { volumeContentHref } from "../../lib/storage/volume_page.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { type PlainKeyOf, t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { UsedBy } from "./PoolParts.tsx";
import { copyVolumeHref, poolHref } from "../../lib/storage/pool_href.ts";
import { MoreMenu } from "../kit/MoreMenu.tsx";
import { ActionLink } from "../kit/ActionLink.tsx";
import { DataTable } from "../kit/DataTable.tsx";

const { t } = textsOf(texts);

/** Actions for a volume, with their words. */
export const VOLUME_VERBS = {
  resize: "storage.resize",
  clone: "storage.clone",
  copy: "storage.copy",
  convert: "storage.convert",
  wipe: "storage.wipe",
  delete_volume: "storage.delete",
} as const satisfies Record<string, PlainKeyOf<typeof texts>>;
export type VolumeVerb = keyof typeof VOLUME_VERBS;

/** Actions that delete data for good. */
const DANGEROUS: ReadonlySet<VolumeVerb> = new Set(["wipe", "delete_volume"]);

/** Whether a volume has content of its own. */
const isDisk = ({ type }: StorageVolume) => type === "file" || type === "block";

/** The verbs that make sense: what a VM uses is changed on the VM's own page. */
function verbsOf(volume: StorageVolume, { fixed, keepsFiles }: StoragePool): VolumeVerb[] {
  const { format, usedBy } = volume;
  if (!isDisk(volume)) return [];
  if (fixed) return usedBy.length > 0 ? ["copy"] : ["copy", "wipe"];
  const convert: VolumeVerb[] = keepsFiles && (format === "qcow2" || format === "raw") ? ["convert"] : [];
  const copies: VolumeVerb[] = ["clone", "copy", ...convert];
  return usedBy.length > 0 ? copies : ["resize", ...copies, "wipe", "delete_volume"];
}

/** The volumes of a page of a pool. */
export function VolumeTable({ pool, volumes, enabled }: {
  pool: StoragePool;
  volumes: readonly StorageVolume[];
  enabled: boolean;
}) {
  const href = (verb: VolumeVerb, { name }: StorageVolume) =>
    verb === "copy"
      ? copyVolumeHref(pool.name, name)
      : `${poolHref(pool.name)}?do=${verb}&volume=${encodeURIComponent(name)}`;
  return (
    <DataTable
      label={t("storage.volumes")}
      rows={volumes}
      keyOf={({ name }) => name}
      attributesOf={({ name }) => ({ "data-volume": name })}
      columns={[
        {
          title: t("storage.name"),
          fit: "wide",
          cell: (volume) => (
            <>
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
            </>
          ),
        },
        {
          title: t("storage.size"),
          kind: "number",
          cell: ({ capacityBytes }) => formatBytes(capacityBytes),
        },
        {
          title: t("storage.used"),
          kind: "number",
          cell: ({ allocationBytes }) => formatBytes(allocationBytes),
        },
        {
          title: t("storage.used_by"),
          cell: ({ usedBy }) => usedBy.length > 0 && <UsedBy users={usedBy} />,
        },
        {
          title: t("storage.actions"),
          kind: "actions",
          cell: (volume) => (
            <>
              {enabled && isDisk(volume) && (
                <a
                  class="button ghost"
                  href={volumeContentHref(pool.name, volume.name)}
                  download={oneLine(volume.name, 200)}
                  aria-label={t("storage.verb_of", {
                    verb: t("storage.download"),
                    name: oneLine(volume.name, 60),
                  })}
                >
                  {t("storage.download")}
                </a>
              )}
              {verbsOf(volume, pool).length > 0 && (
                <MoreMenu label={tAll("menu.of", { name: oneLine(volume.name, 60) })} quiet>
                  {verbsOf(volume, pool).map((verb) => (
                    <ActionLink
                      key={verb}
                      class="menu-item"
                      role="menuitem"
                      {...(DANGEROUS.has(verb) && { "data-danger": "" })}
                      href={href(verb, volume)}
                      enabled={enabled}
                    >
                      {t(VOLUME_VERBS[verb])}
                    </ActionLink>
                  ))}
                </MoreMenu>
              )}
            </>
          ),
        },
      ]}
    />
  );
}
