/** Throws when the object that is about to change is not the one the caller has seen (If-Match). */
export type Precondition<T> = (current: T) => void;
