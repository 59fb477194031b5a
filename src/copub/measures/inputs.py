from copub.shipped import shipped_folder

SHIPPED_ERRORS = shipped_folder("taxonomies/errors") / "shipped.toml"
