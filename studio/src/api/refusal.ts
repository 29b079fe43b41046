/** Why there is no socket, which a browser does not tell the page: by what HTTP says of the item. */
import { api, type ApiError } from './client'

/** The reason's code; undefined: the server does not answer. */
export async function reasonOfRefusal(item: string): Promise<string | undefined> {
  try {
    await api.item(item)
    return 'no_socket'
  } catch (error) {
    return { 401: 'unauthenticated', 404: 'no_such_item' }[(error as ApiError).status]
  }
}
