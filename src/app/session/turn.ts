/** Lets the page do what else it has to: what follows is a task of its own. */
export const turnOfPage = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
