/** Steps of the way to a page that no tab and no entry of the sidebar names. */
export const crumbs = {
  "crumbs.rename": "Rename",
  "crumbs.clone": "Clone",
  "crumbs.import": "Import",
} as const;
