/** Throws if the object to be changed is not as the client has seen it (If-Match). */
export type Precondition<T> = (current: T) => void;
