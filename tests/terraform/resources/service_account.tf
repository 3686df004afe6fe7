variable "account_role" { default = "analyst" }

resource "mixpanel_service_account" "this" {
  username = "report-bot"
  role     = var.account_role
  projects = [{ id = 1234567, role = "consumer" }]
}
