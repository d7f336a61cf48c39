/** Where a task's page is. Pure. */
export const jobHref = (id: string): string => `/tasks/${encodeURIComponent(id)}`;
