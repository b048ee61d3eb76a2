export default defineJob({ model: () => {
