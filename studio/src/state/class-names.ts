/** Classes to choose from: those of the project, and of the objects that are there. */
import type { OpenItem } from './open-item.svelte'

export function classNamesOf({ project, objects }: OpenItem): string[] {
  const names = [...project.classes.map(({ name }) => name), ...objects.map((object) => object.class)]
  return [...new Set(names)].filter((name) => name !== null).sort()
}
