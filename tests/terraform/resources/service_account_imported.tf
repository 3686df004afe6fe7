variable "username" { default = "report-bot" }

resource "mixpanel_service_account" "this" {
  username = var.username
}
