variable "name" { default = "Blog (staging)" }

resource "mixpanel_project" "this" {
  name = var.name
}
