import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../components/kit/Icon.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import { Empty } from "../components/kit/Empty.tsx";
import { ImageTable } from "../components/image/ImageTable.tsx";
import { JobItem } from "../components/jobs/JobItem.tsx";
import { Pagination } from "../components/kit/Pagination.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { SearchField } from "../components/kit/SearchField.tsx";
import { api } from "../lib/client/api.ts";
import { isOpen, pageJobs } from "../lib/client/jobs.ts";
import { live } from "../lib/client/live.ts";
import { poolChanges, useQuery } from "../lib/client/use_query.ts";
import type { Image, Job, Output } from "../lib/contract/mod.ts";
import {
  IMAGE_FILTERS,
  type ImageFilter,
  imagePage,
  type ImageQuery,
  imagesHref,
} from "../lib/image/images.ts";
import type { ListPage } from "../lib/text/list_page.ts";
import { oneLine } from "../lib/text/text.ts";
import { images as texts } from "../lib/i18n/en/images.ts";
import { type PlainKeyOf, textsOf } from "../lib/i18n/mod.ts";

const { t, plural } = textsOf(texts);

/** Props of {@link ImageList}. */
export interface ImageListProps {
  /** The part of the list that the query asks for: all of it can be long. */
  page: ListPage<Image>;
  /** Whether there is any image at all. */
  hasImages: boolean;
  unread: Output<"list_images">["unread"];
  query: ImageQuery;
  /** Downloads under way when the page was rendered. */
  downloads: readonly Job[];
  connected: boolean;
  /** Whether they may download images. */
  mayAdd: boolean;
  /** Whether they may upload files. */
  mayUpload: boolean;
}

const FILTER_NAMES: Readonly<Record<ImageFilter, PlainKeyOf<typeof texts>>> = {
  library: "images.kind_library",
  iso: "images.kind_iso",
  disk: "images.kind_disk",
  free: "images.kind_free",
};

/** Downloads under way, live. */
function Downloads({ first }: { first: readonly Job[] }) {
  const isLive = useSignal(false);
  useEffect(() => {
    pageJobs.seed(first);
    isLive.value = true;
  }, []);
  const shown = useComputed(() =>
    isLive.value
      ? pageJobs.list.value.filter((job) => isOpen(job) && job.command === "download_image")
      : first
  );
  if (shown.value.length === 0) return null;
  return (
    <Panel title={t("images.downloads")}>
      <ul class="jobs" aria-label={t("images.downloads")}>
        {shown.value.map((job) => <JobItem key={job.id} job={job} />)}
      </ul>
    </Panel>
  );
}

/** Text of an empty list: the use of images, and ways to add the first one. */
function NoImages({ mayAdd, mayUpload }: Pick<ImageListProps, "mayAdd" | "mayUpload">) {
  return (
    <Empty icon="disc" title={t("images.none")}>
      <p>{t("images.none_what")}</p>
      <p class="actions">
        {mayAdd && (
          <>
            <a class="button primary" href="/images/catalog">{t("images.catalog")}</a>{" "}
            <a class="button" href="/images/new">{t("images.add")}</a>
            {" "}
          </>
        )}
        {mayUpload && <a class="button" href="/images?do=upload">{t("images.upload")}</a>}
      </p>
    </Empty>
  );
}

function Tools({ query }: { query: ImageQuery }) {
  return (
    <div class="tools">
      <nav class="chips" aria-label={t("images.filter")}>
        {IMAGE_FILTERS.map((kind) => (
          <a
            key={kind}
            class="chip"
            href={imagesHref({ ...query, kind, page: 1 })}
            aria-current={kind === query.kind ? "true" : undefined}
          >
            {t(FILTER_NAMES[kind])}
          </a>
        ))}
      </nav>
      <a
        class="chip"
        href={imagesHref({ ...query, vmDisks: !query.vmDisks, page: 1 })}
        aria-current={query.vmDisks ? "true" : undefined}
      >
        {query.vmDisks && <Icon name="check" />}
        {t("images.vm_disks")}
      </a>
      <form class="tools-form" method="get" action="/images" role="search">
        {query.kind !== "library" && <input type="hidden" name="kind" value={query.kind} />}
        {query.vmDisks && <input type="hidden" name="vmDisks" value="yes" />}
        <SearchField label={t("images.search")} value={query.q} />
      </form>
    </div>
  );
}

/** The images of all pools, live. */
export default function ImageList(
  { query, downloads, connected, mayAdd, mayUpload, ...first }: ImageListProps,
) {
  const { value: shown } = useQuery<typeof first>({
    first,
    read: async () => {
      const { images, unread } = await api.listImages({ vmDisks: query.vmDisks });
      return { page: imagePage(images, query), hasImages: images.length > 0, unread };
    },
    follow: poolChanges(),
  });
  const enabled = live.controls(connected);
  const { hasImages, unread, page: { rows, matching, page, pages } } = shown.value;
  return (
    <div class="storage-stack">
      <Downloads first={downloads} />
      {unread.length > 0 && (
        <Flash tone="warn" icon="alert" title={t("images.unread")}>
          {t("images.unread_what", { pools: unread.map(({ pool }) => oneLine(pool, 60)).join(", ") })}
        </Flash>
      )}
      {!hasImages && !query.vmDisks
        ? (
          <>
            <Tools query={query} />
            <NoImages mayAdd={mayAdd} mayUpload={mayUpload} />
          </>
        )
        : (
          <div>
            <Tools query={query} />
            <Panel title={plural("images.count", matching)}>
              {rows.length > 0
                ? <ImageTable images={rows} enabled={enabled} />
                : query.kind === "library" && query.q === "" && !query.vmDisks
                ? <NoImages mayAdd={mayAdd} mayUpload={mayUpload} />
                : <p class="text-muted pad">{t("images.none_match")}</p>}
            </Panel>
          </div>
        )}
      <Pagination
        label={t("images.pages")}
        page={page}
        pages={pages}
        hrefOf={(page) => imagesHref({ ...query, page })}
      />
    </div>
  );
}
