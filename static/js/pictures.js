// Which picture stands beside a file, told by its name. Pure.

const KINDS = {
  image: /\.(jpe?g|png|gif|webp|avif|hei[cf]|bmp|tiff?|svg|dng|raw|cr[23]|nef|arw)$/i,
  film: /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|3gp|3g2|mts|m2ts|ts|wmv|flv|ogv)$/i,
  music: /\.(mp3|m4a|aac|wav|flac|ogg|oga|opus|wma|amr|aiff?)$/i,
}

/** @returns {'image' | 'film' | 'music' | 'file'} */
export const pictureOf = (name) => Object.keys(KINDS).find((kind) => KINDS[kind].test(name)) ?? 'file'
